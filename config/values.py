"""Values as people write them in a cell or a setting, read strictly and refused in plain words.

Each function takes what is written and gives the value, or raises ValueError with what is wrong and
what is allowed. What is no text (a value set by code) passes through.
"""

import ipaddress
import re
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import opening_hours

from config.problems import did_you_mean, shown

NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
THOUSANDS: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
"""Twelve thousand five hundred, as Belgians write it, or twelve and a half."""
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
"""Times are kept as 64-bit nanoseconds in places, which end in 2262."""
MAC: Final = re.compile(
    r"[0-9a-f]{2}(?P<pairs>[: -])(?:[0-9a-f]{2}(?P=pairs)){4}[0-9a-f]{2}"
    r"|[0-9a-f]{4}(?P<fours>[.:-])[0-9a-f]{4}(?P=fours)[0-9a-f]{4}"
    r"|[0-9a-f]{6}-?[0-9a-f]{6}"
)
YES: Final = frozenset({"yes", "true", "1", "oui", "ja", "vrai", "waar"})
NO: Final = frozenset({"no", "false", "0", "non", "nee", "faux", "onwaar"})
HOST_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")

BUCKET: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,55}$")
"""What 1.8, 2.x and 3.x of InfluxDB take, with room for `_usage` in the 64 characters of 3.x."""
NOTIFIER_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
ALERT_HOURS: Final = ("always", "open_hours", "closed_hours")


def identifier(text: str) -> str:
    """An id, trimmed. `/`, `+` and `#` would break MQTT topics, control characters would tables."""
    text = text.strip()
    wrong = next((c for c in text if c in "/+#" or (not c.isprintable() and c != "\xa0")), None)
    if wrong:
        raise ValueError(
            f"{shown(text)} holds {wrong!r}; an id may hold anything but / + # and line breaks, "
            "tabs and other control characters"
        )
    if not text:
        raise ValueError("is empty; allowed: any id without / + #")
    return text


def notifier_name(text: str) -> str:
    """The name of somebody who is told."""
    if not NOTIFIER_NAME.fullmatch(text):
        raise ValueError(
            f"{shown(text)} cannot name a notifier; allowed: letters, digits, _ . and -, a letter "
            "or digit first, at most 40 characters"
        )
    return text


def at_least_one(names: tuple[str, ...]) -> tuple[str, ...]:
    """A list with something in it."""
    if not names:
        raise ValueError("is an empty list; name at least one")
    return names


def alert_hours(text: str) -> str:
    """When somebody is told: one of ALERT_HOURS, or hours in OpenStreetMap's syntax."""
    if text in ALERT_HOURS:
        return text
    try:
        return opening_hours_of(text)
    except ValueError:
        raise ValueError(
            f"{shown(text)} does not say when{did_you_mean(text, ALERT_HOURS)}; allowed: always, "
            "open_hours, closed_hours, or hours as OpenStreetMap writes them, such as "
            "'Mo-Fr 08:00-18:00; PH off'"
        ) from None


def number(value: Any) -> Any:
    """A number with a decimal point or a decimal comma."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not NUMBER.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a number; write it like 1234.5 or 1234,5, without unit and "
            "without thousands separators"
        )
    return text.replace(",", ".")


def amount(value: Any) -> Any:
    """An amount of money. `12.500` is refused: it is twelve thousand to one, twelve to another."""
    if isinstance(value, str) and THOUSANDS.fullmatch(value.strip()):
        whole = re.sub("[.,]", "", value.strip())
        part = value.strip().replace(",", ".").rstrip("0").rstrip(".")
        raise ValueError(
            f"{shown(value)} can mean {whole} or {part}; write euros without thousands "
            "separators, and cents with two digits"
        )
    return number(value)


def boolean(value: Any) -> Any:
    """Yes or no, in the languages of the cities' offices."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError(
        f"{shown(value)} is neither yes nor no; allowed: yes, no, true, false, 1, 0, oui, non, "
        "ja, nee"
    )


def day(value: Any) -> Any:
    """A day, written 2026-03-05 and no other way: 05/03/2026 is another day across the Channel."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not DAY.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is not a date; write year-month-day, such as 2026-03-05 (in a "
            "spreadsheet, give the column the format yyyy-mm-dd)"
        )
    try:
        return _within_years(date.fromisoformat(text))
    except ValueError:
        raise ValueError(
            f"{shown(text)} is no day of the calendar from {FIRST_YEAR} to {LAST_YEAR}"
        ) from None


def moment(value: Any) -> Any:
    """A day, or a time of a day with or without an offset from UTC."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if DAY.fullmatch(text):
        return day(text)
    if not MOMENT.fullmatch(text):
        raise ValueError(
            f"{shown(text)} is neither a date nor a date-time; write 2026-03-05, "
            "2026-03-05 10:00 (local) or 2026-03-05T09:00Z"
        )
    try:
        return _within_years(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(
            f"{shown(text)} is no time of the calendar from {FIRST_YEAR} to {LAST_YEAR}"
        ) from None


def _within_years(found: date) -> date:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError
    return found


def mac(value: Any) -> Any:
    """A MAC address of a device of the infrastructure, as lower-case pairs with colons."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if not MAC.fullmatch(text):
        raise ValueError(
            f"{shown(value)} is not a MAC address; write 12 hexadecimal digits, such as "
            "00:1a:2b:3c:4d:5e, 00-1A-2B-3C-4D-5E, 001a.2b3c.4d5e, 001a2b-3c4d5e or 001A2B3C4D5E"
        )
    digits = re.sub("[^0-9a-f]", "", text)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


@lru_cache(maxsize=65536)
def opening_hours_of(text: str) -> str:
    """Opening hours in OpenStreetMap's syntax. Cached: a city has few distinct ones."""
    text = " ".join(text.split())
    try:
        opening_hours.OpeningHours(text)
    except opening_hours.ParserError:  # type: ignore[attr-defined]  # left out of its stub
        raise ValueError(
            f"{shown(text)} does not read as opening hours; write them as OpenStreetMap does, "
            "such as 'Mo-Fr 09:00-17:00; Sa 10:00-12:30; PH off' or '24/7'"
        ) from None
    return text


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=4096)
def time_zone(text: str) -> str:
    """An IANA time zone."""
    if text not in _zones():
        raise ValueError(
            f"{shown(text)} is not a known time zone{did_you_mean(text, _zones())}; allowed: an "
            "IANA name, such as Europe/Brussels"
        )
    return text


def country(text: str) -> str:
    """A country whose public holidays are known."""
    code = text.strip().upper()
    try:
        opening_hours.OpeningHours("24/7", country=code)
    except opening_hours.UnknownCountryError:  # type: ignore[attr-defined]
        raise ValueError(
            f"{shown(text)} is not a known country; allowed: an ISO 3166 code of two letters, "
            "such as BE, FR, NL or GB; holidays of a region go into holidays.csv"
        ) from None
    return code


def host(text: str) -> str:
    """A host name or an IP address; the port has a place of its own."""
    text = text.strip()
    try:
        ipaddress.ip_address(text)
    except ValueError:
        numeric = re.fullmatch(r"[0-9.]+", text)
        if numeric or not HOST_NAME.fullmatch(text) or ".." in text:
            raise ValueError(
                f"{shown(text)} is neither a host name nor an IP address; write 10.0.0.7 or "
                "ap7.city.example, the port apart"
            ) from None
    return text


def url(text: str) -> str:
    """The address of an HTTP server, without a slash at its end."""
    try:
        parts = urlsplit(text)
        named = parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        named = False
    else:
        if "@" in parts.netloc:
            # Not quoted: there may be a password in it.
            raise ValueError("holds a user before the @; put the token in a setting of its own")
    if not named or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError(
            f"{shown(text)} is not the address of a server; write it like http://127.0.0.1:8086"
        )
    return text.rstrip("/")


def bucket(text: str) -> str:
    """The common beginning of the names of our buckets."""
    if not BUCKET.fullmatch(text):
        raise ValueError(
            f"{shown(text)} cannot name a bucket; allowed: letters, digits, _ and -, a letter or "
            "digit first, at most 56 characters"
        )
    return text


def topic(text: str) -> str:
    """The beginning of MQTT topics, without wildcards and empty levels."""
    levels = text.split("/")
    if not all(levels) or any(c in text for c in "+#") or text.startswith("$"):
        raise ValueError(
            f"{shown(text)} is not the beginning of a topic; write levels with / between them, "
            "without + and #, such as hotspots or city/hotspots"
        )
    return text
