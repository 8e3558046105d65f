"""Which access points each controller lists, and which have left it. Pure.

Tables are not to be believed blindly: some controllers show one AP of fifteen, or lose rows for a
while. So a row that is missing means nothing by itself. But where the controller's own count of
connected APs is just that of the rows it shows, it says that the missing one is not connected.
"""

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

        Not those that another controller lists now: they have moved there. A poll that is not
        whole says nothing of who is missing, nor does one that the controller's count belies.
        """
        seen = self._seen.setdefault(controller, set())
        seen.update(ap.ap for ap, _ in matched.known)
        self._strangers[controller] = matched.unknown
        shown = sum(ap.up is not False for ap in poll.aps)
        if poll.warnings or not poll.counts_aps or poll.ap_count != shown:
            return []
        gone = [ap for ap in matched.unlisted if ap.ap in seen]
        others = [
            row for name, rows in self._strangers.items() if name != controller for row in rows
        ]
        moved = {ap.ap for ap, _ in match_aps(gone, others).known}
        return [ap for ap in gone if ap.ap not in moved]
