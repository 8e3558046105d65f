"""What explains outages that began together: one fault, named once. Pure.

APs of a group (a site, a controller, an uplink, a collector) failed together if they failed since
the last answer of any of them, and while none of them answers there is one explanation for all.
The widest explanation wins: our own poller first, then what explains the most APs.

Nothing here depends on the order of anything: evidence, files, parents or children.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from pipeline.outages.incident import Cause, Scope, Spell
from pipeline.outages.topology import Group

CAUSES: Final[Mapping[Scope, Cause]] = {
    "poller": "blind",
    "controller": "all_behind_it",
    "uplink": "all_behind_it",
    "site": "all_of_site",
}
_NEAREST: Final[Mapping[Scope, int]] = {"poller": 0, "controller": 1, "uplink": 2, "site": 3}
"""Of two that explain as much, the part that is more likely to have failed goes first."""


class Down(NamedTuple):
    """An AP that is down for certain, once."""

    ap: str
    spell: Spell


class Silence(NamedTuple):
    """A time in which nobody of a group answers."""

    answered_ms: int | None
    """The last answer before it; None: there never was one."""
    heard_until_ms: int | None
    """When the last answers before it ceased to count: their AP failed, or was not asked."""
    ends_ms: int | None
    """The first answer after it; None: there was none yet."""


@dataclass(frozen=True, slots=True)
class Together:
    """APs of a group that failed together."""

    group: Group
    start_ms: int
    """The first failed poll."""
    known_ms: int
    """When enough was known to say so."""
    end_ms: int | None
    members: tuple[Down, ...]
    """Those that failed with the others, also if it was certain of them only later. By name."""
    cause: Cause

    @property
    def spell(self) -> Spell:
        """When it was down."""
        return Spell(self.start_ms, self.known_ms, self.end_ms)

    @property
    def key(self) -> tuple[Scope, str]:
        """What failed."""
        return self.group.scope, self.group.subject


def failed_together(group: Group, downs: Iterable[Down], silence: Silence) -> Together | None:
    """Whether enough APs of a group failed in one silence of it; `downs` are of its members.

    A poll that was lost just before does not make an AP's failure another one: it may have begun
    up to a poll interval before the last answer. Of our own poller that would blame a broken AP.
    What is first seen to fail long after the others has its own fault.
    """
    lost_ms = 0 if group.scope == "poller" else group.interval_s * 1000
    last_ms, over_ms = silence.answered_ms, silence.ends_ms
    members = sorted(
        down
        for down in downs
        if (last_ms is None or down.spell.start_ms > last_ms - lost_ms)
        and (last_ms is None or down.spell.end_ms is None or down.spell.end_ms > last_ms)
        and (over_ms is None or down.spell.confirmed_ms < over_ms)
    )
    members = _at_once(group, members)
    if len(members) < group.needed:
        return None
    certain_ms = sorted(down.spell.confirmed_ms for down in members)[group.needed - 1]
    known_ms = max(certain_ms, silence.heard_until_ms or certain_ms)
    if over_ms is not None and known_ms >= over_ms:
        return None
    start_ms = min(d.spell.start_ms for d in members if d.spell.confirmed_ms <= known_ms)
    return Together(group, start_ms, known_ms, over_ms, tuple(members), CAUSES[group.scope])


def _at_once(group: Group, members: Sequence[Down]) -> list[Down]:
    """The first of them that are enough and began at about the same time."""
    starts = sorted(down.spell.start_ms for down in members)
    for first_ms, enough_ms in zip(starts, starts[group.needed - 1 :], strict=False):
        last_ms = first_ms + group.spread_ms
        if enough_ms <= last_ms:
            return [down for down in members if first_ms <= down.spell.start_ms <= last_ms]
    return []


def explain(
    found: Iterable[Together], already: Collection[Down] = ()
) -> list[tuple[Together, tuple[Down, ...]]]:
    """The explanations that stand, the widest first, each with what it explains.

    Each outage is explained once; `already`: those that are. What is left of an explanation must
    still be enough for one.
    """
    explained = set(already)
    standing = []
    for together in sorted(found, key=_widest_first):
        left = tuple(down for down in together.members if down not in explained)
        # A silent controller needs nobody else, unless something wider explains all behind it.
        alone = together.cause == "controller_silent" and (left or not together.members)
        if len(left) >= together.group.needed or alone:
            explained.update(left)
            standing.append((together, left))
    return standing


def explain_in_time(found: Sequence[Together]) -> list[tuple[Together, tuple[Down, ...]]]:
    """What `explain` says of the past in the end, asked again whenever something became certain.

    A wider explanation takes the place of another one while that lasts, not once it is over.
    """
    standing = []
    for related in _sharing(found):
        if len(related) == 1:
            standing += explain(related)
        else:
            standing += _replayed(related)
    return standing


def _sharing(found: Sequence[Together]) -> Iterable[list[Together]]:
    """Explanations that have something to explain in common, directly or by way of others."""
    of_down: dict[Down, int] = {}
    parts: dict[int, list[Together]] = {}
    for number, together in enumerate(found):
        joined = {of_down[down] for down in together.members if down in of_down}
        part = [together]
        for other in joined:
            part += parts.pop(other)
        parts[number] = part
        of_down |= {down: number for one in part for down in one.members}
    return parts.values()


def _replayed(related: Sequence[Together]) -> list[tuple[Together, tuple[Down, ...]]]:
    times = {one.known_ms for one in related}
    times |= {d.spell.confirmed_ms for one in related for d in one.members}
    times |= {one.end_ms for one in related if one.end_ms is not None}
    over: list[tuple[Together, tuple[Down, ...]]] = []
    standing: list[tuple[Together, tuple[Down, ...]]] = []
    whole = {(one.key, one.start_ms, one.known_ms): one for one in related}
    for at_ms in sorted(times):
        over += [part for part in standing if _is_over(part[0], at_ms)]
        seen = [
            replace(one, members=tuple(d for d in one.members if d.spell.confirmed_ms <= at_ms))
            for one in related
            if one.known_ms <= at_ms and not _is_over(one, at_ms)
        ]
        standing = explain(seen, [down for _, downs in over for down in downs])
    return [
        (whole[one.key, one.start_ms, one.known_ms], downs) for one, downs in [*over, *standing]
    ]


def _is_over(together: Together, at_ms: int) -> bool:
    return together.end_ms is not None and together.end_ms <= at_ms


def _widest_first(together: Together) -> tuple[bool, int, bool, int, int, str]:
    return (
        together.group.scope != "poller",
        -len(together.members),
        together.cause != "controller_silent",
        _NEAREST[together.group.scope],
        together.start_ms,
        together.group.subject,
    )


def merged(spells: Sequence[Spell], relapse_ms: int) -> list[tuple[Spell, ...]]:
    """Spells of one subject, in order, as incidents: what relapses in time is the same one.

    One cannot begin before the last one was over, though a poll that was lost may seem to say so.
    """
    incidents: list[tuple[Spell, ...]] = []
    for spell in spells:
        before = incidents[-1][-1].end_ms if incidents else None
        if before is not None:
            spell = spell._replace(start_ms=max(spell.start_ms, before))  # noqa: PLW2901
        if before is not None and spell.start_ms - before <= relapse_ms:
            incidents[-1] = (*incidents[-1], spell)
        else:
            incidents.append((spell,))
    return incidents
