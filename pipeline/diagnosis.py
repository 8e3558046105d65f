"""What `spotwatch doctor` finds, as pure functions from facts to findings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed

Health = Literal["ok", "warning", "error"]

MIN_FREE_BYTES: Final = 1_000_000_000
LATE_INTERVALS: Final = 3
"""So many poll intervals without a sample, and a site is silent."""
LATE_MS: Final = 3_600_000
"""Usage that is older is late: windows close every quarter of an hour."""
MINUTE_MS: Final = 60_000
NAMES_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One part that was looked at, what was seen, and what to do if it is not well."""

    part: str
    health: Health
    seen: str
    advice: str = ""


def named(names: Sequence[str]) -> str:
    """A list that stays readable in one line."""
    shown = ", ".join(names[:NAMES_SHOWN])
    rest = len(names) - NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def disk(free_bytes: int, folder: str) -> Finding:
    """Is there room to go on collecting?"""
    seen = f"{free_bytes / 1e9:.1f} GB free in {folder}"
    if free_bytes < MIN_FREE_BYTES:
        return Finding("disk", "error", seen, "Make room: a full disk stops the collection.")
    return Finding("disk", "ok", seen)


def opening_hours(deployment: Deployment) -> Finding:
    """Sites whose open hours nobody wrote down are judged in the hours that they are used in."""
    without = sorted(site.site for site in deployment.sites.values() if hours_assumed(site))
    if without:
        return Finding(
            "opening hours",
            "warning",
            f"{len(without)} of {len(deployment.sites)} sites have none: {named(without)}",
            "Fill in opening_hours in sites.csv, such as `Mo-Fr 09:00-17:00; PH off`.",
        )
    return Finding("opening hours", "ok", "known for every site that has a door")


def peers(deployment: Deployment) -> Finding:
    """Kinds with too few sites are compared with a mix of kind and city."""
    minimum = deployment.settings.underuse.min_peers
    kinds = Counter(site.kind for site in deployment.sites.values())
    few = sorted(f"{kind} ({n})" for kind, n in kinds.items() if n <= minimum)
    seen = f"{len(deployment.sites)} sites of {len(kinds)} kinds"
    if few:
        seen += f"; compared with the whole city too: {named(few)}"
    return Finding("peers", "ok", seen)


def silent_sites(
    deployment: Deployment, spans: Mapping[str, tuple[int, int]], now_ms: int
) -> Finding:
    """Sites that no sample came from for some poll intervals, or ever."""
    silent, never, future = [], [], []
    for site in deployment.sites:
        intervals = [
            deployment.poll_seconds(ap)
            for ap in deployment.access_points.values()
            if ap.site == site and ap.source != "import"
        ]
        if not intervals:
            continue
        if site not in spans:
            never.append(site)
        elif spans[site][1] > now_ms + 5 * MINUTE_MS:
            future.append(site)
        elif now_ms - spans[site][1] > LATE_INTERVALS * max(intervals) * 1000:
            silent.append(site)
    if future:
        return Finding(
            "samples",
            "error",
            f"from the future: {named(sorted(future))}",
            "Set the clock of this machine, or of the access points that send their own time.",
        )
    if silent or never:
        parts = [f"silent: {named(sorted(silent))}"] if silent else []
        parts += [f"never heard: {named(sorted(never))}"] if never else []
        return Finding(
            "samples",
            "warning",
            "; ".join(parts),
            "Is `spotwatch run` running? Then try `spotwatch poll SITE`.",
        )
    return Finding("samples", "ok", "every site with access points was heard")


def aggregation(
    deployment: Deployment, closed_until_ms: int | None, dirty: int, now_ms: int
) -> Finding:
    """Is usage up to date with the samples?"""
    if closed_until_ms is None:
        return Finding(
            "usage", "warning", "nothing aggregated yet", "Start `spotwatch run`, or import."
        )
    until = datetime.fromtimestamp(closed_until_ms / 1000, deployment.settings.zone)
    seen = f"aggregated up to {until:%Y-%m-%d %H:%M}, {dirty} spans to do again"
    is_live = any(ap.source != "import" for ap in deployment.access_points.values())
    if is_live and now_ms - closed_until_ms > LATE_MS:
        return Finding("usage", "warning", seen, "Is `spotwatch run` running?")
    return Finding("usage", "ok", seen)


def dead_letters(count: int, latest_reason: str | None) -> Finding:
    """Messages that could not be understood and are kept aside."""
    if count:
        return Finding(
            "refused messages",
            "warning",
            f"{count} kept aside; the latest: {latest_reason}",
            "Compare the payload with the README, or add its format.",
        )
    return Finding("refused messages", "ok", "none")


def devices(answered: int, silent: Mapping[str, str]) -> Finding:
    """Do the devices answer? silent: why, by name."""
    total = answered + len(silent)
    seen = f"{answered} of {total} answer"
    if silent:
        reasons = [f"{name} ({reason})" for name, reason in sorted(silent.items())]
        return Finding(
            "SNMP devices",
            "error" if not answered else "warning",
            f"{seen}; not: {named(reasons)}",
            "Check address, community, and that the device lets this machine ask (its ACL).",
        )
    return Finding("SNMP devices", "ok", seen)
