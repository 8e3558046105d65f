"""Which groups of APs fail together at an instant, live: see `causes`."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from collectors.reading import HOLD
from config.settings import Outages
from pipeline.outages.causes import Down, Silence, Together, explain, failed_together
from pipeline.outages.conditions import Conditions
from pipeline.outages.incident import Cause, Spell
from pipeline.outages.machine import Condition
from pipeline.outages.memory import Key, Memory, Own, Root
from pipeline.outages.topology import Group, Topology
from pipeline.outages.track import Track


class Roots:
    """Keeps the roots in memory true: opens, ends and withdraws them."""

    def __init__(
        self, topology: Topology, rules: Outages, memory: Memory, conditions: Conditions
    ) -> None:
        self._topology = topology
        self._relapse_ms = rules.relapse_minutes * 60_000
        self._memory = memory
        self._conditions = conditions
        self._groups = {(group.scope, group.subject): group for group in topology.groups}
        self._replaced: list[Root] = []
        """Over for good, and their subject failed again."""
        self._pollers = [group for group in topology.groups if group.scope == "poller"]

    def update(self, now_ms: int) -> None:
        """Make them what is known at an instant."""
        for group in self._pollers:
            self._update_poller(group, now_ms)
        self._explain(now_ms)

    def lose(self, collector: str, since_ms: int, now_ms: int) -> None:
        """A collector says that it is blind."""
        key: Key = ("poller", collector)
        if self._memory.root(key) is None:
            self._open(key, Spell(since_ms, now_ms, None), "blind", declared=True)
            self._conditions.go_blind(collector, since_ms)

    def regain(self, collector: str, at_ms: int) -> None:
        """It sees again."""
        root = self._memory.root(("poller", collector))
        if root is not None:
            self._end(root, at_ms)

    def settled(self, now_ms: int) -> Iterator[Root]:
        """Forget those that are over for good."""
        yield from self._replaced
        self._replaced.clear()
        for key, root in list(self._memory.roots.items()):
            end_ms = root.spells[-1].end_ms
            if end_ms is None or now_ms - end_ms <= self._relapse_ms:
                continue
            if not self._may_relapse(self._groups.get(key), end_ms):
                del self._memory.roots[key]
                yield root

    def _may_relapse(self, group: Group | None, end_ms: int) -> bool:
        """Whether something of a group failed in time, and nobody of it answered since."""
        if group is None:
            return False
        known = [condition for ap in group.members if (condition := self._known(ap)) is not None]
        answered_ms = max((one.answered_ms or 0 for one in known), default=0)
        since_ms = max(end_ms, answered_ms - group.interval_s * 1000 + 1)
        failed = [one.first_miss_ms for one in known if one.first_miss_ms is not None]
        return any(since_ms <= ms <= end_ms + self._relapse_ms for ms in failed)

    def may_be_explained(self, ap: str, own: Own) -> bool:
        """Whether others of a group of it may have failed with it, and it is not yet certain."""
        groups = self._topology.groups_of[ap]
        start_ms = own.spells[-1].start_ms
        return any(self._undecided(group, ap, start_ms) >= group.needed for group in groups)

    def may_be_blind(self, ap: str, start_ms: int) -> bool:
        """Whether it may be our own poller: nobody that it asks has answered since an AP failed."""
        groups = (group for group in self._topology.groups_of[ap] if group.scope == "poller")
        return any(self._undecided(group, ap, start_ms) >= group.needed for group in groups)

    def behind(self, root: Root) -> dict[str, int]:
        """The APs that a root takes with it, and since when each fails: also those behind a silent
        controller of which that is not certain yet.
        """
        found = {
            ap: own.spells[-1].start_ms
            for ap, own in self._memory.own.items()
            if own.parent == root.id
        }
        if root.cause == "controller_silent":
            for ap, place in self._topology.aps.items():
                known = self._known(ap) if place.controller == root.subject else None
                if known is not None and known.first_miss_ms is not None and not known.is_down:
                    found[ap] = known.first_miss_ms
        return found

    def may_be_wider(self, root: Root) -> bool:
        """Whether something else may explain more than it does, and it is not yet certain."""
        behind = self.behind(root)
        first: dict[Group, str] = {}
        for ap in sorted(behind, key=lambda ap: (behind[ap], ap)):
            for group in self._topology.groups_of[ap]:
                first.setdefault(group, ap)
        return any(
            self._undecided(group, ap, behind[ap]) >= max(group.needed, len(behind) + 1)
            for group, ap in first.items()
            if (group.scope, group.subject) != root.key
        )

    def _undecided(self, group: Group, ap: str, start_ms: int) -> int:
        """How many of a group, the AP among them, may have failed with it, which failed then; 0:
        one answered since.

        They failed at the same time, or were not asked since.
        """
        since_ms = start_ms - group.interval_s * 1000
        count = 1
        for other in group.members:
            known = self._known(other)
            if known is None or known.last is None or other == ap:
                continue
            if known.answered_ms is not None and known.answered_ms >= start_ms:
                return 0
            if known.last.answered:
                count += _counts_until(known, group) > start_ms
            else:
                count += (known.first_miss_ms or 0) > since_ms
        return count

    def _update_poller(self, group: Group, now_ms: int) -> None:
        key: Key = ("poller", group.subject)
        root = self._memory.root(key)
        if root is None:
            together = self._together(group, now_ms)
            if together is not None:
                self._open(key, together.spell, "blind")
                self._conditions.go_blind(group.subject, together.start_ms)
        elif not root.declared:
            answered_ms = self._answered_after(root, group)
            if answered_ms is not None:
                self._end(root, answered_ms)

    def _explain(self, now_ms: int) -> None:
        """End what something answered of, and group what is down under what explains it."""
        for root in self._open_groups():
            answered_ms = self._answered_after(root, self._groups.get(root.key))
            if answered_ms is not None:
                self._end(root, answered_ms)
        found = [self._together(group, now_ms) for group in self._groups_down()]
        found += [self._silent(name, t) for name, t in self._memory.controllers.items()]
        standing = explain((together for together in found if together), self._explained())
        for together, explained in standing:
            root = self._standing_root(together, explained)
            for down in explained:
                own = self._memory.own[down.ap]
                # An incident that has relapsed is explained by what explained it first.
                parent = root.id if len(own.spells) == 1 else own.parent
                self._memory.own[down.ap] = replace(own, root=root.time, parent=parent)
        stands = {together.key for together, _ in standing}
        for root in self._open_groups():
            if root.key not in stands:
                self._withdraw(root)

    def _standing_root(self, together: Together, explained: Sequence[Down]) -> Root:
        root = self._memory.root(together.key)
        if root is None:
            return self._open(together.key, together.spell, together.cause, members=explained)
        if root.cause != together.cause:
            root = self._memory.roots[root.key] = replace(root, cause=together.cause)
        return root

    def _open_groups(self) -> list[Root]:
        roots = self._memory.roots.values()
        return [root for root in roots if root.is_open and root.scope != "poller"]

    def _explained(self) -> set[Down]:
        """What is down still though what explained it is over."""
        is_open = {root.time for root in self._open_groups()}
        return {
            Down(ap, own.spells[-1])
            for ap, own in self._memory.own.items()
            if own.is_open and own.root is not None and own.root not in is_open
        }

    def _groups_down(self) -> list[Group]:
        """Those that something is down of, our pollers apart."""
        down = [ap for ap, own in self._memory.own.items() if own.is_open]
        groups = {group for ap in down for group in self._topology.groups_of[ap]}
        return sorted(group for group in groups if group.scope != "poller")

    def _together(self, group: Group, now_ms: int) -> Together | None:
        """Whether a group fails together at this instant."""
        downs = self._downs(group.members)
        if len(downs) < group.needed:
            return None
        answered_ms = heard_until_ms = None
        for ap in group.members:
            known = self._known(ap)
            if known is None or known.answered_ms is None:
                continue
            counts_until_ms = _counts_until(known, group)
            if counts_until_ms > now_ms:
                return None
            answered_ms = max(answered_ms or 0, known.answered_ms)
            heard_until_ms = max(heard_until_ms or 0, counts_until_ms)
        if group.scope == "poller":
            downs = [down for down in downs if self._failed_after(down.ap, answered_ms)]
        return failed_together(group, downs, Silence(answered_ms, heard_until_ms, None))

    def _failed_after(self, ap: str, answered_ms: int | None) -> bool:
        """Whether it did not fail before, also when that was blamed on our poller."""
        since_ms = self._memory.tracks[ap].failing_since_ms
        return since_ms is None or answered_ms is None or since_ms > answered_ms

    def _silent(self, controller: str, track: Track) -> Together | None:
        """A controller that does not answer itself, with what failed behind it since."""
        if not track.condition.is_down:
            return None
        spell = track.condition.spells[-1]
        places = self._topology.aps.items()
        behind = tuple(sorted(ap for ap, place in places if place.controller == controller))
        interval_s = track.condition.last.interval_s if track.condition.last else 0
        group = Group("controller", controller, behind, interval_s, interval_s)
        since_ms = spell.start_ms - interval_s * 1000
        members = tuple(d for d in self._downs(behind) if d.spell.start_ms > since_ms)
        return Together(group, *spell, members, "controller_silent")

    def _known(self, ap: str) -> Condition | None:
        track = self._memory.tracks.get(ap)
        return track.condition if track else None

    def _downs(self, aps: Sequence[str]) -> list[Down]:
        own = self._memory.own
        return [Down(ap, own[ap].spells[-1]) for ap in aps if ap in own and own[ap].is_open]

    def _answered_after(self, root: Root, group: Group | None) -> int | None:
        """The first answer of anybody of it since it was certain; None: there was none.

        One from before was lost on the way: a poll just before it may have failed by chance.
        """
        since_ms = root.spells[-1].confirmed_ms
        conditions = [self._known(ap) for ap in (group.members if group else ())]
        controller = self._memory.controllers.get(root.subject)
        if root.scope == "controller" and controller is not None:
            conditions.append(controller.condition)
        found = []
        for known in conditions:
            if known is None or known.answered_ms is None or known.answered_ms <= since_ms:
                continue
            first_ms = known.answering_since_ms or 0
            found.append(first_ms if first_ms > since_ms else known.answered_ms)
        return min(found, default=None)

    def _open(
        self,
        key: Key,
        spell: Spell,
        cause: Cause,
        *,
        members: Sequence[Down] = (),
        declared: bool = False,
    ) -> Root:
        before = self._memory.roots.get(key)
        over_ms = before.spells[-1].end_ms if before else None
        if before is not None and over_ms is not None:
            spell = spell._replace(start_ms=max(spell.start_ms, over_ms))
            if spell.start_ms - over_ms <= self._relapse_ms:
                root = replace(
                    before, spells=(*before.spells, spell), cause=cause, declared=declared
                )
                self._memory.roots[key] = root
                return root
            self._replaced.append(before)
        announced = [self._memory.own[down.ap].maintenance for down in members]
        maintenance = bool(announced) and all(announced)
        root = Root(*key, cause, (spell,), maintenance, declared)
        self._memory.roots[key] = root
        return root

    def _end(self, root: Root, at_ms: int) -> None:
        spells = (*root.spells[:-1], root.spells[-1]._replace(end_ms=at_ms))
        self._memory.roots[root.key] = replace(root, spells=spells)
        if root.scope == "poller":
            self._conditions.see_again(root.subject, at_ms)

    def _withdraw(self, root: Root) -> None:
        """Take back what a wider one explains, or late evidence does not bear out."""
        if len(root.spells) > 1:
            self._memory.roots[root.key] = replace(root, spells=root.spells[:-1])
        else:
            del self._memory.roots[root.key]
        for ap, own in self._memory.own.items():
            if own.root == root.time:
                parent = None if own.parent == root.id and own.spells[1:] == () else own.parent
                self._memory.own[ap] = replace(own, root=None, parent=parent)


def _counts_until(known: Condition, group: Group) -> int:
    """Until when the last good poll of an AP says that somebody of the group answers."""
    if known.answered_ms is None or known.last is None:
        return 0
    hold_ms = round(known.last.interval_s * HOLD * 1000)
    until_ms = known.answered_ms + min(hold_ms, group.patience_ms)
    return until_ms if known.first_miss_ms is None else min(until_ms, known.first_miss_ms)
