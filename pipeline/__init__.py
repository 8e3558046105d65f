"""From readings to usage and verdicts."""
