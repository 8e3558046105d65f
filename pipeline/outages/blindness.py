"""When we ourselves are blind: our broker is gone, our store takes nothing, our clock was set.

Pure. That nobody answers our polls is not said here: it shows in the evidence.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

DRIFT_MS: Final = 2_000
"""Clocks are kept right a little at a time; more at once is a jump."""


class Sight(NamedTuple):
    """A collector went blind, or sees again."""

    what: Literal["lost", "regained"]
    collector: str
    at_ms: int
    """Since when; UTC milliseconds."""


class Blindness:
    """Told how collectors are, it tells which are blind, and since when."""

    def __init__(self, patience_ms: Mapping[str, int], lost: Mapping[str, int]) -> None:
        """`patience_ms`: of each collector, how long it may see nothing before it is called blind:
        within that time nothing is called down either. `lost`: those that are blind since before.
        """
        self._patience_ms = patience_ms
        self.lost = {name: since for name, since in lost.items() if name in patience_ms}
        """Those that are blind, and since when."""
        self.set_back = False
        """Whether the clock was set back since the look before the last."""
        self._looked: tuple[int, int] | None = None
        self._repeats: tuple[int, int] | None = None
        """The clock was set back: [from, to) comes a second time."""

    def look(
        self, now_ms: int, monotonic_ms: int, blind_since: Mapping[str, int | None]
    ) -> list[Sight]:
        """Look at what `time` says, and since when each collector gets nothing; None: it does.

        `monotonic_ms`: of a clock that nobody sets. While this machine sleeps it stands still, or
        goes on; where it stands still, the time slept is a jump forward.
        """
        jumped_ms = self._jump(now_ms, monotonic_ms)
        found = []
        for name, patience_ms in self._patience_ms.items():
            if jumped_ms is not None and now_ms - jumped_ms >= patience_ms:
                found += self._lose(name, jumped_ms)
            since_ms = blind_since.get(name)
            if self._repeats is not None and self._repeats[1] - self._repeats[0] >= patience_ms:
                found += self._lose(name, self._repeats[0])
            elif since_ms is None:
                found += self._regain(name, now_ms)
            elif now_ms - since_ms >= patience_ms:
                found += self._lose(name, since_ms)
        return found

    def _lose(self, name: str, since_ms: int) -> list[Sight]:
        if name in self.lost:
            return []
        self.lost[name] = since_ms
        return [Sight("lost", name, since_ms)]

    def _regain(self, name: str, now_ms: int) -> list[Sight]:
        return [Sight("regained", name, now_ms)] if self.lost.pop(name, None) is not None else []

    def _jump(self, now_ms: int, monotonic_ms: int) -> int | None:
        """Where the clock jumped forward from; a jump back is remembered until it is made good."""
        before, self._looked = self._looked, (now_ms, monotonic_ms)
        self.set_back = False
        if self._repeats is not None and now_ms >= self._repeats[1]:
            self._repeats = None
        if before is None:
            return None
        expected_ms = before[0] + (monotonic_ms - before[1])
        if now_ms - expected_ms > DRIFT_MS:
            return before[0]
        if expected_ms - now_ms > DRIFT_MS:
            until_ms = max(expected_ms, self._repeats[1] if self._repeats else 0)
            self._repeats = now_ms, until_ms
            self.set_back = True
        return None
