"""Reads from the store what availability is added up from, so that memory does not grow with the
span: hours of access points, and samples where nobody could have heard an answer.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from config.deployment import Deployment
from pipeline.open_hours import hours_assumed, open_hours
from pipeline.outages.availability import maintenances_of
from pipeline.outages.availability_tally import Tally, Terms
from pipeline.outages.calendar import Calendar
from pipeline.outages.history import Blind
from pipeline.outages.incident import Incident
from pipeline.store.base import Store
from pipeline.usage.ap_reader import ApUsageReader
from pipeline.usage.compute import Computer, service_of
from pipeline.usage.expiry import computable_since_ms
from pipeline.usage.grid import Mask
from pipeline.usage.intervals import Intervals, Ints
from pipeline.usage.periods import bounds, sites_by_zone
from pipeline.usage.samples import HOLD_MS_PER_S

SAID: Final = (
    "up", "clients", "clients_2g", "clients_5g", "clients_6g", "rx_bytes", "tx_bytes", "uptime_s",
    "channel_utilisation",
)  # fmt: skip
"""What a sample says of its access point."""


def blind_times(
    incidents: Collection[Incident], declared: Blind, span: tuple[int, int]
) -> Mapping[str, Intervals]:
    """When each collector was blind within [start, end): found from polls, or said by itself."""
    pairs: dict[str, list[tuple[int, int]]] = {}
    for incident in incidents:
        if incident.scope == "poller":
            for spell in incident.spells:
                until = span[1] if spell.end_ms is None else spell.end_ms
                pairs.setdefault(incident.subject, []).append((spell.start_ms, until))
    for collector, spans in declared.items():
        pairs.setdefault(collector, []).extend(spans)
    return {
        collector: Intervals.of((max(a, span[0]), min(b, span[1])) for a, b in found)
        for collector, found in pairs.items()
    }


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a span beside usage."""

    incidents: Collection[Incident]
    """Those that began in it, or go on in it."""
    blind: Mapping[str, Intervals]
    """When each collector was blind; see `blind_times`."""
    calendar: Calendar


def tally_of(
    deployment: Deployment,
    store: Store,
    known: Known,
    *,
    span: tuple[int, int],
    sites: Sequence[str],
    closed_until_ms: int | None,
    now_ms: int,
) -> Tally:
    """Add up [start, end) of some sites, both on the 15-minute window, UTC milliseconds.

    Where the samples of blind times have expired, as much is taken out as can lie in them.
    """
    tally = Tally(_terms(deployment, span, known))
    blind = known.blind
    aps = deployment.access_points.values()
    of_ap = {ap.ap: blind[ap.source] for ap in aps if ap.source in blind}
    kept_ms = computable_since_ms(deployment, now_ms) or 0
    hold_ms = max((deployment.poll_seconds(ap) for ap in aps), default=0) * HOLD_MS_PER_S
    reader = ApUsageReader(deployment, store, closed_until_ms)
    computer = Computer(deployment, _Sighted(store, of_ap), aps_by="15min")
    for zone, members in sites_by_zone(deployment, sites).items():
        edges = np.clip(bounds("hour", *span, zone), *span)
        cut = _around(blind, edges, hold_ms, kept_ms)
        for rows in reader.hours_in_parts(*span, members):
            again = cut.within(rows["start_ms"].to_numpy(), rows["end_ms"].to_numpy()) > 0
            tally.add(rows[~again], of_ap)
        service = service_of(deployment, store) if len(cut) else None
        for start_ms, end_ms in zip(cut.starts.tolist(), cut.ends.tolist(), strict=True):
            for chunk in computer.chunks(start_ms, end_ms, service) if service else ():
                tally.add(chunk.aps[chunk.aps["site"].isin(members)])
    return tally


def _terms(deployment: Deployment, span: tuple[int, int], known: Known) -> Terms:
    calendar = known.calendar
    hours = {
        site: opened
        for site, opened in open_hours(deployment, *span).items()
        if not hours_assumed(deployment.sites[site])
    }
    outages: dict[str, list[tuple[str, Intervals]]] = {}
    for incident in sorted(known.incidents, key=lambda i: i.start_ms):
        ap = deployment.access_points.get(incident.ap or "")
        if incident.scope != "ap" or ap is None:
            continue
        down = Intervals.of(
            (max(spell.start_ms, span[0]), span[1] if spell.end_ms is None else spell.end_ms)
            for spell in incident.spells
        )
        for nothing in (
            known.blind.get(ap.source),
            calendar.maintenance.get(incident.site or ""),
            calendar.off.get(incident.site or ""),
        ):
            down = down.minus(nothing) if nothing else down
        outages.setdefault(ap.ap, []).append((incident.id, down))
    return Terms(
        hours=hours,
        off=calendar.off,
        maintenance=calendar.maintenance,
        maintenances=maintenances_of(deployment, span),
        outages=outages,
    )


def _around(blind: Mapping[str, Intervals], edges: Ints, hold_ms: int, kept_ms: int) -> Intervals:
    """The hours that a failed poll in blind times holds into, as far as their samples are kept."""
    pairs = []
    for intervals in blind.values():
        for start_ms, end_ms in zip(
            intervals.starts.tolist(), intervals.ends.tolist(), strict=True
        ):
            first = int(np.searchsorted(edges, start_ms, side="right")) - 1
            last = int(np.searchsorted(edges, end_ms + hold_ms))
            start, end = edges[max(first, 0)], edges[min(last, len(edges) - 1)]
            if start >= kept_ms:
                pairs.append((int(start), int(end)))
    return Intervals.of(pairs)


@dataclass(frozen=True, slots=True)
class _Sighted:
    """Samples in which a poll that failed while nobody could hear an answer says nothing."""

    store: Store
    blind: Mapping[str, Intervals]
    """By access point."""

    def read_samples(self, start_ms: int, end_ms: int) -> pd.DataFrame:
        return self._sighted(self.store.read_samples(start_ms, end_ms))

    def last_samples(
        self, before_ms: int, since_ms: int, *, with_counters: bool = False
    ) -> pd.DataFrame:
        found = self.store.last_samples(before_ms, since_ms, with_counters=with_counters)
        return self._sighted(found)

    def _sighted(self, samples: pd.DataFrame) -> pd.DataFrame:
        says_nothing = self._says_nothing(samples)
        if not says_nothing.any():
            return samples
        return samples.assign(**{name: samples[name].mask(says_nothing) for name in SAID})

    def _says_nothing(self, samples: pd.DataFrame) -> Mask:
        found = np.zeros(len(samples), dtype=bool)
        failed = np.flatnonzero((samples["up"] == 0).fillna(False).to_numpy(dtype=bool))
        if not len(failed):
            return found
        instants, aps = samples["ts_ms"].to_numpy()[failed], samples["ap"].iloc[failed]
        by_span: dict[int, tuple[Intervals, list[str]]] = {}
        for ap, intervals in self.blind.items():
            by_span.setdefault(id(intervals), (intervals, []))[1].append(ap)
        for intervals, members in by_span.values():
            inside = intervals.within(instants, instants + 1) > 0
            found[failed] |= inside & aps.isin(members).to_numpy()
        return found
