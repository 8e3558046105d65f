"""Every number behind a verdict, for the terminal: readable at 80 columns."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from babel import Locale
from babel.numbers import format_decimal, format_percent
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from config.deployment import Deployment, SitePeriod
from config.settings import Language
from dashboards.explanation_words import WORDS
from dashboards.terminal import NOTHING, VERDICT_STYLES
from pipeline.underuse.basis import Basis
from pipeline.underuse.explain import Check, Explanation, OpenHours
from pipeline.underuse.reasons import worded
from pipeline.underuse.rhythm import WEEK_HOURS, Hours

SHARES: Final = frozenset({"coverage", "clients_known", "availability", "ratio", "interval"})
"""Checks whose figures are shares."""
DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
"""As in OpenStreetMap's syntax, in which opening hours are written."""


def explanation_view(
    deployment: Deployment, found: Explanation, samples: Sequence[Basis], language: Language
) -> RenderableType:
    """Everything that led to the verdict on a site."""
    return Group(*_Speaker(deployment, found, language).parts(samples))


class _Speaker:
    """Says what is known of a site in a language."""

    def __init__(self, deployment: Deployment, found: Explanation, language: Language) -> None:
        self._found = found
        self._language = language
        self._words = WORDS[language]
        self._deployment = deployment
        self._site = deployment.sites[found.standing.site]
        self._zone = deployment.zone(found.standing.site)

    def parts(self, samples: Sequence[Basis]) -> Iterator[RenderableType]:
        """From the verdict down to the samples."""
        standing = self._found.standing
        sign, style = VERDICT_STYLES[standing.verdict]
        title = self._say(
            "title", name=self._site.name(self._language), site=standing.site,
            verdict=f"{sign} {standing.verdict}",
        )  # fmt: skip
        yield Text(title, style=style)
        yield Text(
            self._say(
                "window", weeks=str(len(self._found.weeks)), first=self._day(self._found.start_ms),
                last=self._day(self._found.end_ms), zone=self._zone.key,
            )
        )  # fmt: skip
        yield from self._section("reasons")
        for reason in standing.reasons:
            yield Text(worded(reason, self._language))
        yield from self._weeks()
        yield from self._checks()
        yield from self._peers()
        yield from self._history()
        yield from self._hours(self._found.open_hours)
        yield from self._samples(samples)

    def _weeks(self) -> Iterator[RenderableType]:
        yield from self._section("weeks")
        columns = ("open_hours", "coverage_of", "known_of", "up", "user_hours", "known_hours",
                   "users", "peers_users")  # fmt: skip
        table = self._table("week", *columns)
        for week in self._found.weeks:
            table.add_row(
                self._day(week.start_ms),
                self._number(week.open_hours, 1),
                self._share(week.coverage),
                self._share(week.clients_known),
                self._share(week.availability),
                self._number(week.user_hours, 1),
                self._number(week.known_hours, 1),
                self._number(week.intensity, 3) + ("*" if week.counts else " "),
                self._number(week.peer_median, 3) + ("*" if week.peers_count else " "),
            )
        yield table
        yield Text(self._words["legend"], style="dim")
        yield from self._typical()

    def _typical(self) -> Iterator[Text]:
        found = self._found.alone
        if found.intensity is None:
            return
        intensity = self._number(found.intensity, 3)
        if found.ratio is None:
            yield Text(self._say("no_sum", intensity=intensity))
            return
        yield Text(
            self._say(
                "sum", intensity=intensity, median=self._number(found.peer_median, 3),
                ratio=self._share(found.ratio, 1),
            )
        )  # fmt: skip
        yield Text(
            self._say(
                "resampled", low=self._share(found.ratio_low, 1),
                high="∞" if found.ratio_high is None else self._share(found.ratio_high, 1),
                times=self._number(self._found.resamples, 0), seed=self._found.seed,
            )
        )  # fmt: skip

    def _checks(self) -> Iterator[RenderableType]:
        yield from self._section("checks")
        table = self._table("question", "value", "limit")
        table.add_column(self._words["outcome"])
        for check in self._found.checks:
            table.add_row(
                self._words["weeks_in" if check.code == "weeks" else check.code],
                self._figure(check, check.value),
                NOTHING if check.limit is None else self._figure(check, check.limit),
                self._outcome(check),
            )
        yield table

    def _figure(self, check: Check, value: float | None) -> str:
        if check.code == "in_service":
            return self._words["yes" if value else "no"]
        if check.code in SHARES:
            return self._share(value, 1)
        return self._number(value, 1 if check.code in {"weeks", "ever_open"} else 0)

    def _outcome(self, check: Check) -> str:
        if check.outcome == "decides":
            return self._say("decides", verdict=check.verdict or "")
        if check.outcome == "met" and check.code == "ratio":
            return self._words["under"]
        if check.outcome == "met" and check.code == "peers" and self._found.kind_weight < 1:
            return self._words["city_counts"]
        return self._words[check.outcome]

    def _peers(self) -> Iterator[RenderableType]:
        yield from self._section("peer_list")
        listed = [f"{peer.site} {self._number(peer.intensity, 3)}" for peer in self._found.peers]
        yield Text("; ".join(listed) or self._words["no_peers"])
        if self._found.kind_weight < 1:
            kind, rest = self._found.kind_weight, 1 - self._found.kind_weight
            yield Text(
                self._say(
                    "mixed", kind=self._share(kind), city=str(self._found.city),
                    rest=self._share(rest),
                )
            )  # fmt: skip

    def _history(self) -> Iterator[RenderableType]:
        yield from self._section("history")
        verdicts = [verdict for _, verdict in self._found.history]
        for monday_ms, verdict in self._found.history:
            sign, style = VERDICT_STYLES[verdict]
            yield Text(f"{self._day(monday_ms)}  ").append(f"{sign} {verdict}", style=style)
        if verdicts[0] != self._found.standing.verdict:
            yield Text(self._say("alone", verdict=verdicts[0]))
        if len(verdicts) == 1:
            yield Text(self._words["history_one"])
        elif verdicts[-1] != self._found.standing.verdict:
            yield Text(self._words["history_assessable"])
        else:
            agree = verdicts[-1] == verdicts[-2]
            yield Text(self._words["history_agree" if agree else "history_first"])

    def _hours(self, hours: OpenHours) -> Iterator[RenderableType]:
        yield from self._section("hours")
        if hours.hours_in_use is None:
            yield Text(hours.expression or self._words["always"])
        elif hours.hours_in_use.sum() == WEEK_HOURS:
            yield Text(self._words["assumed"])
        else:
            yield Text(self._say("in_use", hours=_as_rules(hours.hours_in_use)))
        if hours.public_holidays:
            days = ", ".join(day.isoformat() for day in hours.public_holidays)
            yield Text(self._say("holidays", days=days))
        for word, periods in (("closure", hours.closures), ("maintenance", hours.maintenance)):
            for period in periods:
                yield Text(self._say(word, span=self._span(period)))

    def _samples(self, samples: Sequence[Basis]) -> Iterator[RenderableType]:
        yield from self._section("samples")
        for one in samples:
            if not one.samples:
                yield Text(self._say("no_samples", ap=one.ap))
                continue
            every = one.poll_seconds
            yield Text(
                self._say(
                    "sample", ap=one.ap,
                    samples=self._number(one.samples, 0),
                    failed=self._number(one.failed, 0),
                    silent=self._number(one.without_clients, 0),
                    first=self._minute(one.first_ms),
                    last=self._minute(one.last_ms),
                    every="" if every is None else self._say("every", seconds=str(every)),
                    coverage=self._share(one.coverage),
                )
            )  # fmt: skip
        if not samples:
            yield Text(self._words["no_aps"])

    def _section(self, word: str) -> Iterator[RenderableType]:
        yield Padding(Text(self._words[word], style="bold"), (1, 0, 0, 0))

    def _table(self, first: str, *numbers: str) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(self._words[first], overflow="fold")
        for word in numbers:
            table.add_column(self._words[word], justify="right")
        return table

    def _say(self, word: str, **figures: str) -> str:
        return self._words[word].format(**figures)

    def _number(self, value: float | None, decimals: int) -> str:
        if value is None:
            return NOTHING
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return str(format_decimal(value, pattern, locale=self._language))

    def _share(self, value: float | None, decimals: int = 0) -> str:
        if value is None:
            return NOTHING
        # 99.6 % is not all.
        shown = min(value, 0.99) if value < 1 <= round(value, 2 + decimals) else value
        usual = Locale.parse(self._language).percent_formats[None].pattern
        pattern = usual.replace("0", "0." + "0" * decimals) if decimals else usual
        return str(format_percent(shown, pattern, locale=self._language))

    def _day(self, ms: int) -> str:
        return f"{self._local(ms):%Y-%m-%d}"

    def _minute(self, ms: int | None) -> str:
        return NOTHING if ms is None else f"{self._local(ms):%Y-%m-%d %H:%M}"

    def _local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, self._zone)

    def _span(self, period: SitePeriod) -> str:
        start, end = (at.astimezone(self._zone) for at in (period.start, period.end))
        why = f" ({period.reason})" if period.reason else ""
        return f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M}{why}"  # noqa: RUF001


def _as_rules(in_use: Hours) -> str:
    """Hours of the week in OpenStreetMap's syntax."""
    by_day = [_spells(in_use[day * 24 : day * 24 + 24]) for day in range(7)]
    rules = []
    start = 0
    for day in range(1, 8):
        if day == 7 or by_day[day] != by_day[start]:
            if by_day[start]:
                days = DAYS[start] if day == start + 1 else f"{DAYS[start]}-{DAYS[day - 1]}"
                rules.append(f"{days} {by_day[start]}")
            start = day
    return "; ".join(rules)


def _spells(hours: Hours) -> str:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], hours, [False]))))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return ",".join(f"{start:02}:00-{end:02}:00" for start, end in pairs)
