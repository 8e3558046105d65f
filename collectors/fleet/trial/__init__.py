"""Invented cities whose right verdicts are known, to try the judgement on. Seeded, never tuned."""
