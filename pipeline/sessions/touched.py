"""What usage changes when sessions become known late. Pure."""

from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo

from pipeline.sessions.ledger import Noted
from pipeline.sessions.tracker import Change
from pipeline.usage.periods import Span, bounds


def touched(
    noted: Noted, zone_of: Callable[[str], ZoneInfo], since_ms: int, until_ms: int
) -> list[Span]:
    """Spans of which the counts change, one a site: those that begin in [since, until).

    A session changes the window that it begins in, and on each local day that it meets the first
    window of its device there; what had been counted in its place lies later on the same day.
    """
    spans: dict[str, Span] = {}
    for site, start, end in _spans(noted, zone_of, until_ms):
        if since_ms <= start < until_ms:
            _, first, last = spans.get(site, (site, start, end))
            spans[site] = site, min(first, start), max(last, end)
    return sorted(spans.values())


def _spans(noted: Noted, zone_of: Callable[[str], ZoneInfo], until_ms: int) -> Iterator[Span]:
    yield from noted.watched
    for change in noted.changes:
        # Looked at before the calendar is asked: nearly all sessions go on in the present.
        if _earliest_ms(change) < until_ms:
            yield from _of_session(change, zone_of(change.now.site))


def _earliest_ms(change: Change) -> int:
    """No window that ends before this instant changes."""
    if _only_goes_on(change):
        return change.before[0].end_ms
    return min(_starts(change))


def _of_session(change: Change, zone: ZoneInfo) -> Iterator[Span]:
    now = change.now
    days = bounds("day", min(_starts(change)), now.end_ms, zone).tolist()
    if not _only_goes_on(change):
        yield now.site, min(_starts(change)), days[-1]
        return
    newly = [day for day in days[1:-1] if change.before[0].end_ms <= day < now.end_ms]
    if newly:
        yield now.site, newly[0], days[-1]


def _only_goes_on(change: Change) -> bool:
    """Whether all that is new is that it lasted longer."""
    if len(change.before) != 1:
        return False
    (was,) = change.before
    return (was.ap, was.start_ms) == (change.now.ap, change.now.start_ms)


def _starts(change: Change) -> Iterable[int]:
    return [change.now.start_ms, *(was.start_ms for was in change.before)]
