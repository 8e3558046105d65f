"""Which access points each controller lists: one that it no longer lists has left it. Pure."""

from collections.abc import Sequence

from collectors.snmp.device import ApPoll, DevicePoll
from collectors.snmp.readings import Matched, match_aps
from config.deployment import AccessPoint


class Listed:
    """Remembers it from poll to poll."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}
        """APs, by controller."""
        self._strangers: dict[str, Sequence[ApPoll]] = {}
        """What each controller lists that is not said to be seen through it."""

    def left(self, controller: str, matched: Matched, poll: DevicePoll) -> list[AccessPoint]:
        """The APs that were listed by a controller and are not any more: they do not serve.

        Not those that another controller lists now: they have moved there. A poll that is not whole
        says nothing of who is missing.
        """
        seen = self._seen.setdefault(controller, set())
        seen.update(ap.ap for ap, _ in matched.known)
        self._strangers[controller] = matched.unknown
        if poll.warnings:
            return []
        gone = [ap for ap in matched.unlisted if ap.ap in seen]
        others = [
            row for name, rows in self._strangers.items() if name != controller for row in rows
        ]
        moved = {ap.ap for ap, _ in match_aps(gone, others).known}
        return [ap for ap in gone if ap.ap not in moved]
