"""Messages in the language of who reads them, often on a phone, sometimes at night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.numbers import format_decimal

from config.deployment import Deployment
from config.settings import SEVERITIES, Language
from pipeline.alerts.message import Fact, Kind, Message
from pipeline.alerts.outage import Outage
from pipeline.alerts.phrases import CATALOGUE
from pipeline.alerts.telling import Note
from pipeline.outages.incident import Incident
from pipeline.outages.stuck import Stuck

LONGEST_NAME: Final = 60
NAMES_SHOWN: Final = 5
"""Sites, or access points, that a sentence names."""
IN_SUBJECT: Final = 2
LISTED: Final = 8
"""Outages that a message lists."""
OVER: Final = frozenset[Kind]({"resolved", "withdrawn"})
MINUTE_MS: Final = 60_000
LOCALES: Final[Mapping[Language, str]] = {"fr": "fr_BE", "nl": "nl_BE", "en": "en_GB"}


@dataclass(frozen=True, slots=True)
class Wording:
    """What messages say of places."""

    deployment: Deployment
    usual: Mapping[str, float] = field(default_factory=dict)
    """Users that a site usually has at this hour, where known."""
    unused: Mapping[str, Stuck] = field(default_factory=dict)
    """What is known of sites that are up and of no use, by incident."""

    def message(self, note: Note, now_ms: int) -> Message:
        """A decided message in words."""
        worst_first = sorted(note.outages, key=lambda outage: SEVERITIES.index(outage.severity))
        said = [_Said(self, outage, note, now_ms) for outage in worst_first]
        subject, body = said[0].alone() if len(said) == 1 else _together(said, note)
        ids = " ".join(one.outage.incident.id for one in said[:IN_SUBJECT])
        return Message(
            notifier=note.notifier,
            kind=note.kind,
            language=note.language,
            severity=worst_first[0].severity,
            at_ms=now_ms,
            subject=subject,
            body=body,
            line=subject if note.kind in OVER else f"{subject}. {said[0].times()} [{ids}]",
            facts=tuple(one.fact() for one in said),
        )

    def test(self, notifier: str, language: Language, now_ms: int) -> Message:
        """A message that says that nothing happened."""
        words = CATALOGUE[language]
        city = self.deployment.settings.city
        subject = words["test"].format(city=city)
        body = words["test_body"].format(notifier=notifier, city=city)
        return Message(notifier, "test", language, "info", now_ms, subject, body, subject)


class _Said:
    """One outage in a message."""

    def __init__(self, wording: Wording, outage: Outage, note: Note, now_ms: int) -> None:
        self.outage = outage
        self._wording = wording
        self._note = note
        self._language: Language = note.language
        self._words = CATALOGUE[note.language]
        self._deployment = wording.deployment
        incident = outage.incident
        self._site = incident.site if incident.scope in ("ap", "site") else None
        settings = self._deployment.settings
        self._zone = self._deployment.zone(self._site) if self._site else settings.zone
        self._now_ms = now_ms
        self._figures: dict[str, object] = {
            "site": self._name(self._site) if self._site else incident.subject,
            "ap": incident.ap or incident.subject,
            # A collector is named after what it speaks.
            "subject": incident.subject.upper() if outage.is_blind else incident.subject,
            "id": incident.id,
            "since": self._time(incident.start_ms),
            "until": self._time(incident.end_ms or now_ms),
            "lasted": duration(_down_ms(incident, now_ms), self._language),
            "flaps": _Count(incident.flaps, self._language),
            "downs": _Count(incident.flaps + 1, self._language),
            "sites": _Count(len(outage.sites), self._language),
            "total": _Count(self._total(), self._language),
            "places": self._listed([self._name(site) for site in outage.sites]),
            "left": self._listed([child.subject for child in outage.children if child.is_open]),
        }
        self._figures["what"] = self.what()

    def what(self) -> str:
        """What is down, in a few words that a sentence can begin with."""
        alike = {"lone": "site", "behind": "controller", "unused": "site"}
        return self._say(f"what_{alike.get(self._form(), self._form())}")

    def times(self) -> str:
        """When it began."""
        return str(self._figures["since"])

    def listed(self, *, back: bool) -> str:
        """As an item of a list."""
        return self._say("item_back" if back else "item")

    def alone(self) -> tuple[str, str]:
        """Subject and body of a message about nothing else."""
        kind = self._note.kind
        form = self._form()
        if kind == "opened":
            alike = {"lone": "site", "behind": "uplink"}
            subject = self._say(f"opened_{alike.get(form, form)}")
        elif kind == "resolved" and form == "unused":
            subject = self._say("resolved_unused")
        else:
            subject = self._say(kind)
        return _capital(subject), "\n".join(_capital(line) for line in self._lines() if line)

    def fact(self) -> Fact:
        """For those who word it themselves."""
        incident = self.outage.incident
        row = self._deployment.sites.get(incident.site or "")
        over = self._note.kind in OVER
        return Fact(
            id=incident.id,
            scope=incident.scope,
            subject=incident.subject,
            site=incident.site,
            site_name=row.name(self._language) if row else None,
            ap=incident.ap,
            controller=incident.controller,
            kind=row.kind if row else None,
            commune=row.commune if row else None,
            severity=self.outage.severity,
            start_ms=incident.start_ms,
            # What was withdrawn ends now, as far as those are concerned who were told.
            end_ms=(incident.end_ms or self._now_ms) if over else None,
            cause=incident.cause,
            text=_capital(self._lines()[0]),
        )

    def _lines(self) -> list[str]:
        incident, kind, form = self.outage.incident, self._note.kind, self._form()
        if kind == "withdrawn":
            return [self._say("void")]
        if form == "unused":
            return [self._say("back_unused")] if kind == "resolved" else self._nobody()
        if kind == "resolved":
            often = "back_often" if incident.flaps else "back"
            left = self._say("left") if self._figures["left"] and form != "poller" else ""
            return [self._say("back_poller" if form == "poller" else often), left]
        facts = [self._say("steady" if kind == "flapping" else f"is_{form}")]
        if incident.cause == "said_down":
            facts.append(self._say("said_down"))
        if incident.flaps and kind != "flapping":
            facts.append(self._say("often"))
        if kind in ("reminder", "escalated"):
            facts.append(self._say("not_over"))
        users = self._wording.usual.get(self._site or "")
        usual = ""
        if kind == "opened" and users is not None and users >= 1 and form in ("lone", "site"):
            self._figures["users"] = _Count(round(users), self._language)
            usual = self._say("usual")
        do = "controller" if form == "behind" else form
        return [" ".join(facts), usual, self._say(f"do_{do}"), self._say("ack")]

    def _nobody(self) -> list[str]:
        """That a site is up and of no use, and why that is thought."""
        found, locale = self._wording.unused.get(self.outage.incident.id), LOCALES[self._language]
        if found is None:
            return [self._say("is_unused")]
        limit = self._deployment.settings.outages.idle_chance
        self._figures |= {
            "users": format_decimal(found.users, "#,##0.#", locale=locale),
            "weeks": _Count(found.weeks, self._language),
            "longest": duration(found.longest_minutes * MINUTE_MS, self._language),
            "odds": format_decimal(round(1 / limit), locale=locale),
        }
        past = "unused_longest" if found.longest_minutes else "unused_never"
        return [self._say(code) for code in ("is_unused", past, "unused_odds", "do_unused")]

    def _form(self) -> str:
        """How it is spoken of: its scope, but for the only access point of a site, and for what
        failed behind a controller that was not asked itself.
        """
        incident = self.outage.incident
        if self.outage.is_unused:
            return "unused"
        if incident.scope == "ap" and self.outage.severity == "critical" and self._site:
            return "lone"
        if incident.scope == "controller" and incident.cause == "all_behind_it":
            return "behind"
        return incident.scope

    def _total(self) -> int:
        if self._site is None:
            return len(self.outage.aps)
        return sum(ap.site == self._site for ap in self._deployment.access_points.values())

    def _say(self, code: str) -> str:
        return self._words[code].format(**self._figures)

    def _time(self, ts_ms: int) -> str:
        """An hour, with its day unless that is today's. Never relative: it may be read late."""
        local, now = (_local(ms, self._zone) for ms in (ts_ms, self._now_ms))
        pattern = "HH:mm" if local.date() == now.date() else "EEE d MMM HH:mm"
        return str(format_datetime(local, pattern, locale=LOCALES[self._language]))

    def _name(self, site: str) -> str:
        row = self._deployment.sites.get(site)
        return shortened(row.name(self._language) if row else site)

    def _listed(self, names: Sequence[str]) -> str:
        shown, more = ", ".join(names[:NAMES_SHOWN]), len(names) - NAMES_SHOWN
        return self._words["some_more"].format(some=shown, more=more) if more > 0 else shown


def _together(said: Sequence[_Said], note: Note) -> tuple[str, str]:
    """Subject and body of a message about several outages."""
    words = CATALOGUE[note.language]
    back = note.kind in OVER
    some = words["both"].format(one=said[0].what(), other=said[1].what())
    if len(said) > IN_SUBJECT:
        some = words["some_more"].format(some=some, more=len(said) - IN_SUBJECT)
    count = _Count(len(said), note.language)
    unused = said[0].outage.is_unused and note.kind in ("opened", "resolved")
    kind = f"{note.kind}_unused" if unused else note.kind
    subject = words[f"several_{kind}"].format(count=count, some=some)
    lines = [one.listed(back=back) for one in said[:LISTED]]
    if len(said) > LISTED:
        more = "more_back" if back else "more"
        lines.append(words[more].format(more=len(said) - LISTED))
    if not back and not unused:
        lines.append(words["ack"].format(id="ID"))
    return _capital(subject), "\n".join(lines)


def duration(ms: int, language: Language) -> str:
    """`1 hour and 12 minutes`, in the two largest units, rounded down."""
    words, minutes = CATALOGUE[language], ms // MINUTE_MS
    if minutes < 1:
        return words["under_a_minute"]
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    first = next(place for place, (number, _) in enumerate(parts) if number)
    said = [
        format(_Count(number, language), f"count:{words[unit]}")
        for number, unit in parts[first : first + 2]
        if number
    ]
    return str(format_list(said, locale=LOCALES[language]))


def shortened(name: str) -> str:
    """A name that fits into a short message."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


class _Count:
    """A number that `{n:count:site|sites}` writes with its noun, by the language's rules."""

    def __init__(self, number: int, language: Language) -> None:
        self._number = number
        self._language = language

    def __str__(self) -> str:
        return str(self._number)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        one, other = spec.removeprefix("count:").split("|")
        form = Locale.parse(self._language).plural_form(self._number)
        return f"{self._number} {one if form == 'one' else other}"


def _down_ms(incident: Incident, now_ms: int) -> int:
    """How long it was down: the sum of its spells where it came and went."""
    if incident.spells:
        return sum((spell.end_ms or now_ms) - spell.start_ms for spell in incident.spells)
    return (incident.end_ms or now_ms) - incident.start_ms


def _local(ts_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).astimezone(zone)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
