"""All that is known of the use of sites or access points over a span."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from config.deployment import Deployment
from pipeline.store.base import Store
from pipeline.usage.ap_reader import ApUsageReader
from pipeline.usage.distribution import NOT_KNOWN_THEN, Distribution, Key, distributions
from pipeline.usage.figures import Figures, figures
from pipeline.usage.periods import HOUR_MS, WINDOW_MS
from pipeline.usage.reader import By, UsageReader
from pipeline.usage.session_lengths import SessionMinutes, session_minutes
from pipeline.usage.sessions import SessionSource

CHEAP_ROWS: Final = 250_000
"""Windows of sites, or hours of APs, whose distributions take a second or so."""
SPREAD: Final = (
    "user_hours_open", "user_hours_closed", "clients_p10", "clients_median", "clients_p90",
    "clients_in_open_hours",
)  # fmt: skip
LENGTHS: Final = ("session_minutes_p10", "session_minutes_median", "session_minutes_p90")
NOT_WANTED: Final = "not computed; --detail does"
BY_SITE: Final = "the lengths of sessions are known by site"
NO_WINDOWS: Final = "no shorter periods of this time are stored"
NO_SESSION: Final = "no session began"
NO_RECORDS: Final = "the records of these sessions have expired"


@dataclass(frozen=True, slots=True)
class Question:
    """Usage of [start, end), both on the window, UTC milliseconds."""

    start_ms: int
    end_ms: int
    by: By
    sites: Sequence[str]
    per_ap: bool = False
    aps: Collection[str] | None = None
    """These APs; None: all."""
    detail: bool | None = None
    """Whether distributions are wanted; None: where they are cheap."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one site, or AP at a site, over one period."""

    figures: Figures
    distribution: Distribution | None
    minutes: SessionMinutes | None
    missing: Mapping[str, str]
    """Why it is unknown, of each of the `Figures`, of SPREAD and of LENGTHS that is."""


class Answers:
    """Answers questions from what is stored and, where it is not yet, from samples."""

    def __init__(
        self,
        deployment: Deployment,
        store: Store,
        closed_until_ms: int | None,
        sessions: SessionSource,
    ) -> None:
        self._deployment = deployment
        self._sessions = sessions
        self._sites = UsageReader(deployment, store, closed_until_ms, sessions)
        self._aps = ApUsageReader(deployment, store, closed_until_ms, sessions)

    def to(self, question: Question) -> list[Answer]:
        """Answer, sorted by site, AP and time, in memory that does not grow with the span."""
        span, by, sites = (question.start_ms, question.end_ms), question.by, question.sites
        if question.per_ap:
            found = self._aps.periods(*span, by, sites=sites, aps=question.aps)
        else:
            found = self._sites.periods(*span, by, sites=sites)
        spread: Mapping[Key, Distribution] = {}
        lengths: Mapping[Key, SessionMinutes] = {}
        detailed = self._is_detailed(question)
        if detailed:
            spread = distributions(self._deployment, self._parts(question), *span, by)
            if not question.per_ap:
                lengths = session_minutes(self._deployment, self._sessions, span, by, sites)
        return [
            _answer(one, detailed, spread.get(key), lengths.get(key))
            for one in figures(found)
            for key in [(one.site, one.ap, one.start_ms)]
        ]

    def _is_detailed(self, question: Question) -> bool:
        if question.detail is not None:
            return question.detail
        length = question.end_ms - question.start_ms
        if not question.per_ap:
            return len(question.sites) * length // WINDOW_MS <= CHEAP_ROWS
        homes = [ap.site for ap in self._deployment.access_points.values()]
        count = sum(home in set(question.sites) for home in homes)
        return count * length // HOUR_MS <= CHEAP_ROWS

    def _parts(self, question: Question) -> Iterator[pd.DataFrame]:
        span = question.start_ms, question.end_ms
        if not question.per_ap:
            yield from self._sites.windows_in_parts(*span, question.sites)
            return
        for hours in self._aps.hours_in_parts(*span, question.sites):
            yield hours if question.aps is None else hours[hours["ap"].isin(question.aps)]


def _answer(
    told: Figures,
    detailed: bool,
    distribution: Distribution | None,
    minutes: SessionMinutes | None,
) -> Answer:
    missing = dict(told.missing)
    if not detailed:
        missing |= dict.fromkeys((*SPREAD, *LENGTHS), NOT_WANTED)
        return Answer(told, None, None, missing)
    if distribution is None:
        missing |= dict.fromkeys(SPREAD, told.missing.get("user_hours", NO_WINDOWS))
    else:
        why = missing.get("user_hours")
        for name, reason in distribution.missing.items():
            missing[name] = why if why and reason == NOT_KNOWN_THEN else reason
    if minutes is None:
        if told.ap is not None:
            reason = BY_SITE
        elif told.sessions is None:
            reason = told.missing["sessions"]
        else:
            reason = NO_RECORDS if told.sessions else NO_SESSION
        missing |= dict.fromkeys(LENGTHS, reason)
    return Answer(told, distribution, minutes, missing)
