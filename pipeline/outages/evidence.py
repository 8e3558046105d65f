"""What samples say of whether something serves: the evidence that outages are judged by."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from collectors.reading import HOLD, Reading

_ANSWERS: Final = (
    "clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes", "tx_bytes", "uptime_s",
    "channel_utilisation",
)  # fmt: skip
"""What only an AP that serves can say."""


class Evidence(NamedTuple):
    """One poll, quick ones included, or one message: did it answer, and what of itself it said."""

    subject: str
    """An AP, or a controller that is polled for itself."""
    ts_ms: int
    """UTC milliseconds."""
    answered: bool
    """False: the poll failed, or somebody who knows said that it is down."""
    interval_s: int
    """The poll interval in force."""
    site: str = ""
    """Where it stood."""
    uptime_s: int | None = None
    clients: int | None = None
    octets: int | None = None
    """Of both directions, as its counters have it."""

    @property
    def hold_ends_ms(self) -> int:
        """Until when it says anything, if nothing newer comes."""
        return self.ts_ms + round(self.interval_s * HOLD * 1000)


def evidence_of(reading: Reading) -> Evidence | None:
    """What a reading says; None: nothing about whether the AP serves."""
    answered = reading.up != 0
    if reading.up is None and all(getattr(reading, name) is None for name in _ANSWERS):
        return None
    counters = (reading.rx_bytes, reading.tx_bytes)
    known = [counter for counter in counters if counter is not None]
    return Evidence(
        subject=reading.ap,
        ts_ms=reading.ts_ms,
        answered=answered,
        interval_s=reading.interval_s,
        site=reading.site,
        uptime_s=reading.uptime_s,
        clients=reading.clients,
        octets=sum(known) if known else None,
    )


def in_order(evidence: Iterable[Evidence]) -> list[Evidence]:
    """One of each instant of a subject, by time: where two disagree, something answered."""
    kept: dict[tuple[str, int], Evidence] = {}
    for item in evidence:
        there = kept.get((item.subject, item.ts_ms))
        if there is None or _preferred(item) > _preferred(there):
            kept[item.subject, item.ts_ms] = item
    return sorted(kept.values(), key=lambda item: (item.ts_ms, item.subject))


def _preferred(item: Evidence) -> tuple[bool, int, int, int, int, str]:
    """Which of two is taken must not depend on which came first."""
    figures = (item.uptime_s, item.clients, item.octets)
    uptime, clients, octets = (-1 if figure is None else figure for figure in figures)
    return item.answered, uptime, clients, octets, item.interval_s, item.site
