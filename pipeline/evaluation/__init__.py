"""How right the verdicts are, on cities whose answers are known, beside naive rules."""
