"""Secrets: a type that prints masked, filled from the environment or a file only."""

from pydantic import SecretStr

Secret = SecretStr
"""Prints as `**********`; `get_secret_value()` is called where it is sent, nowhere else."""
