"""Up but nobody can use it: a run of zero clients that a site's own rhythm does not explain. Pure.

What a site is used to is learnt from the quarters of an hour (windows) of its last weeks in which
it was open, up, and its users were known, at the hours of the week in which it is used. Nothing
else counts, neither then nor now.

- A run of empty windows is measured by the users it missed: those usual in these hours of the week,
  summed over its windows. An empty Monday morning thus weighs more than an empty evening.
- Neighbouring windows are alike, and people come in groups: the users missed are divided by what
  one independent visit is worth (`per_visit`): the windows that a presence lasts, from the
  correlation of a window with the next, times how much more the number varies than by chance.
- Days differ. With a share of visits that varies from day to day as the past's did (`spread`, the
  shape of a gamma distribution), the chance that all of h visits stay away is (1 + h/k) ** -k: by
  far more than the exp(-h) of visits that are independent of the day.
- Whatever the model says, a run also has to miss more than half as much again as any of the past
  did. One that the model calls an outage is left out of that, but only one: twice is a habit.
- What keeps people away everywhere is not the site: its usual users are scaled down to what others
  of its kind have now of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.underuse.intensity import Floats, midmean
from pipeline.underuse.rhythm import IN_USE, WEEK_HOURS, Hours, hour_of_week
from pipeline.usage.intervals import Ints
from pipeline.usage.periods import DAY_MS, WINDOW_MS, local_date

WEEK_MS: Final = 7 * DAY_MS
WINDOW_MINUTES: Final = WINDOW_MS // 60_000
MIN_STAY: Final = 4.0
"""Windows that a presence lasts at least: nobody is a new visitor every quarter of an hour."""
MAX_STAY: Final = 32.0
SPREAD: Final = (0.5, 30.0)
"""Bounds of the shape: days that differ wildly, and days as alike as eight weeks can show."""
MARGIN: Final = 1.5
"""Of the users missed by the longest run of the past."""
OFTEN_EMPTY: Final = 0.25
"""Of its windows; of a site that is empty so often nothing is concluded from its being empty."""
MIN_DAY_WINDOWS: Final = 8
"""Of a day, to learn from how it differs from others."""
MIN_PEERS: Final = 3
PEER_VISITS: Final = 3.0
"""So many visits are usual at a peer during the run, or else it says nothing."""

Why = Literal["few_weeks", "often_empty"]


class Windows(NamedTuple):
    """Windows of a site in order of time; all arrays are as long."""

    start_ms: Ints
    """UTC."""
    users: Floats
    """At a time; NaN where unknown."""
    counts: Hours
    """Open from end to end, up, and its users known."""
    down: Hours
    """None of it was up for all that was observed, or maintenance was announced."""

    def part(self, start: int, end: int) -> "Windows":
        """Some of them, by place."""
        at = slice(start, end)
        return Windows(self.start_ms[at], self.users[at], self.counts[at], self.down[at])


@dataclass(frozen=True, slots=True)
class NotJudged:
    """Why nothing is concluded from a site's being empty."""

    why: Why
    figure: float
    """Weeks known, or the share of windows without anybody."""
    limit: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a site is used to."""

    usual: Floats
    """Users at a time by local hour of the week; 0 where it does not count: in too few weeks known,
    or hardly used."""
    per_visit: float
    """Users times windows that one independent visit is worth."""
    spread: float
    """Shape of the gamma distribution that a day's share of the usual visits follows."""
    most_missed: float
    """Users times windows, of the past's emptiest run."""
    runs: Ints
    """[run, hour of the week]: the empty windows of the past's runs."""
    weeks: int
    """Learnt from."""

    def chance(self, missed: float) -> float:
        """That as much is missed on a day that begins like any other."""
        return float((1 + missed / self.per_visit / self.spread) ** -self.spread)

    def explains(self, missed: float, limit: float) -> bool:
        """Whether so empty a run is nothing strange."""
        return missed <= MARGIN * self.most_missed or self.chance(missed) >= limit


class Run(NamedTuple):
    """Empty windows in a row, those that do not count left out."""

    start_ms: int
    """Of the first."""
    end_ms: int
    """Of the last."""
    hours: Ints
    """The hour of the week of each."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A site that is up and of no use, as it seems, with the figures that say so."""

    site: str
    start_ms: int
    """Since when nobody was seen."""
    known_ms: int
    """When it was strange enough."""
    users: float
    """At a time, on average, in the hours of the run in the weeks before."""
    longest_minutes: int
    """That it was empty for in these hours of one week."""
    weeks: int
    chance: float
    peers: float | None
    """What others have of their usual users; None: there are none to compare with."""
    end_ms: int | None = None
    """When somebody was seen again, or it went down; None: not yet."""


def learn(windows: Windows, zone: ZoneInfo, min_weeks: int, limit: float) -> Rhythm | NotJudged:
    """What a site is used to, from all windows of some whole weeks up to when somebody was last
    there: a run that is not over is what is asked about.

    `min_weeks`: in so many an hour of the week has to be known to count. `limit`: the chance from
    which on a run of the past was no accident either.
    """
    seen = np.flatnonzero(windows.users > 0)
    if len(seen):
        windows = windows.part(0, int(seen[-1]) + 1)
    there = windows.counts
    starts, users = windows.start_ms[there], windows.users[there]
    if not len(starts):
        return NotJudged("few_weeks", 0, min_weeks)
    hours = hour_of_week(starts, zone)
    week = (windows.start_ms[-1] - starts) // WEEK_MS
    known = len(np.unique(week))
    if known < min_weeks:
        return NotJudged("few_weeks", known, min_weeks)
    usual = _usual(users, hours, week, min_weeks)
    in_use = usual[hours] > 0
    starts, users, hours = starts[in_use], users[in_use], hours[in_use]
    empty = float(np.mean(users == 0)) if len(users) else 1.0
    if empty > OFTEN_EMPTY:
        return NotJudged("often_empty", empty, OFTEN_EMPTY)
    day = _days(starts, zone)
    per_visit, spread = _per_visit(users, usual[hours], day), _spread(users, usual[hours], day)
    runs = _runs(windows, usual, zone)
    counts = np.zeros((len(runs), WEEK_HOURS), dtype=np.int64)
    for row, run in enumerate(runs):
        np.add.at(counts[row], run.hours, 1)
    learnt = Rhythm(usual, per_visit, spread, 0.0, counts, known)
    missed = sorted((float(usual[run.hours].sum()) for run in runs), reverse=True)
    if missed and learnt.chance(missed[0]) < limit:
        del missed[0]
    most = missed[0] if missed else 0.0
    return Rhythm(usual, per_visit, spread, most, counts, known)


def run_now(windows: Windows, rhythm: Rhythm, zone: ZoneInfo) -> Run | None:
    """The run of empty windows that the last ones are part of; None: they are not."""
    breaks = np.flatnonzero((windows.users > 0) | windows.down)
    first = int(breaks[-1]) + 1 if len(breaks) else 0
    return _run(windows, first + np.flatnonzero(windows.counts[first:]), rhythm.usual, zone)


def missed_by(run: Run, rhythm: Rhythm) -> float:
    """Users times windows that were to be expected meanwhile."""
    return float(rhythm.usual[run.hours].sum())


def share_of_usual(windows: Windows, run: Run, rhythm: Rhythm, zone: ZoneInfo) -> float | None:
    """What a peer had during a run of its usual users; None: too little to say."""
    during = windows.counts & (windows.start_ms >= run.start_ms) & (windows.start_ms < run.end_ms)
    usual = rhythm.usual[hour_of_week(windows.start_ms[during], zone)]
    if usual.sum() < PEER_VISITS * rhythm.per_visit:
        return None
    return float(windows.users[during][usual > 0].sum() / usual.sum())


def peers_share(of_kind: Sequence[float], of_city: Sequence[float]) -> float | None:
    """The median of the peers' shares: of the kind, of the whole city where those are too few."""
    shares = of_kind if len(of_kind) >= MIN_PEERS else of_city
    return float(np.median(shares)) if shares else None


def judge(
    site: str, run: Run, rhythm: Rhythm, *, peers: float | None, limit: float, now_ms: int
) -> Stuck | None:
    """Whether a run is so strange that somebody is told. `limit`: the chance under which it is."""
    missed = missed_by(run, rhythm) * min(1.0, 1.0 if peers is None else peers)
    if rhythm.explains(missed, limit):
        return None
    hours = np.unique(run.hours)
    return Stuck(
        site=site,
        start_ms=run.start_ms,
        known_ms=now_ms,
        users=float(rhythm.usual[run.hours].mean()),
        longest_minutes=int(rhythm.runs[:, hours].sum(axis=1).max(initial=0)) * WINDOW_MINUTES,
        weeks=rhythm.weeks,
        chance=rhythm.chance(missed),
        peers=peers,
    )


def _usual(users: Floats, hours: Ints, week: Ints, min_weeks: int) -> Floats:
    """The midmean over the weeks, so that neither a festival nor a holiday decides."""
    weeks = int(week.max()) + 1
    cell = week * WEEK_HOURS + hours
    size = weeks * WEEK_HOURS
    total = np.bincount(cell, weights=users, minlength=size).reshape(weeks, WEEK_HOURS)
    count = np.bincount(cell, minlength=size).reshape(weeks, WEEK_HOURS)
    usual = np.zeros(WEEK_HOURS)
    for hour in range(WEEK_HOURS):
        there = count[:, hour] > 0
        if there.sum() >= min_weeks:
            usual[hour] = midmean(total[there, hour] / count[there, hour])
    # What a user finds there: the mean of the hours, each counted as often as it has users.
    found = np.sum(usual**2) / usual.sum() if usual.any() else 0.0
    return np.where(usual >= IN_USE * found, usual, 0.0)


def _days(starts: Ints, zone: ZoneInfo) -> Ints:
    return np.array([local_date(ms, zone).toordinal() for ms in starts.tolist()], dtype=np.int64)


def _per_visit(users: Floats, usual: Floats, day: Ints) -> float:
    """From days with somebody: how long a presence lasts, times how much groups make of it."""
    lasts: list[float] = []
    varies: list[float] = []
    for of_day in np.split(np.arange(len(day)), np.flatnonzero(np.diff(day)) + 1):
        there, expected = users[of_day], usual[of_day]
        if len(of_day) < MIN_DAY_WINDOWS or there.sum() == 0 or expected.sum() == 0:
            continue
        level = expected * there.sum() / expected.sum()
        off = there - level
        varies.append(float(np.mean(off**2) / level.mean()))
        square = float(np.sum(off**2))
        lasts.append(float(np.sum(off[1:] * off[:-1])) / square if square else 0.0)
    if not lasts:
        return MAX_STAY
    alike = float(np.clip(np.median(lasts), 1 - 1 / MIN_STAY, 1 - 1 / MAX_STAY))
    grouped: float = max(1.0, float(np.quantile(varies, 0.75)))
    return grouped / (1 - alike)


def _spread(users: Floats, usual: Floats, day: Ints) -> float:
    """From how far days fall short of the usual; what they have more is of no concern."""
    _, index = np.unique(day, return_inverse=True)
    expected = np.bincount(index, weights=usual)
    there = np.bincount(index, weights=users)
    share = there[expected > 0] / expected[expected > 0]
    short = share[share < 1]
    if not len(short):
        return SPREAD[1]
    return float(1 / np.clip(np.mean((1 - short) ** 2), 1 / SPREAD[1], 1 / SPREAD[0]))


def _runs(windows: Windows, usual: Floats, zone: ZoneInfo) -> list[Run]:
    """Every run of empty windows; what does not count does not end one, users or an outage do."""
    piece = np.cumsum((windows.users > 0) | windows.down)
    empty = np.flatnonzero(windows.counts & (windows.users == 0) & ~windows.down)
    parts = np.split(empty, np.flatnonzero(np.diff(piece[empty])) + 1)
    runs = (_run(windows, part, usual, zone) for part in parts)
    return [run for run in runs if run is not None]


def _run(windows: Windows, at: Ints, usual: Floats, zone: ZoneInfo) -> Run | None:
    hours = hour_of_week(windows.start_ms[at], zone)
    starts = windows.start_ms[at][usual[hours] > 0]
    if not len(starts):
        return None
    return Run(int(starts[0]), int(starts[-1]) + WINDOW_MS, hours[usual[hours] > 0])
