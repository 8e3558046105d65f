"""How long to wait before trying again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """How long to wait before trying again: twice as long every time, up to a limit."""

    first_s: float = 1.0
    most_s: float = 60.0

    def delay_s(self, failures: int) -> float:
        """Wait after so many failures in a row; at random in the upper half of what is due."""
        due = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return due * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides no secret
