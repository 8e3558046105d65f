"""A mapping: how another system's file says what a sample file says; YAML, checked as settings are.

There are ready ones, by name, in `mappings/`.
"""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator
from pydantic import ValidationInfo as Info

from config.problems import ConfigError, Problem, did_you_mean, listed, shown
from config.settings import Section, TimeZone
from config.translate import mistakes
from config.yamlfile import YamlFile, dotted, read_yaml

READY_DIR: Final = Path(__file__).with_name("mappings")
EPOCH: Final = ("seconds", "milliseconds", "microseconds", "nanoseconds")
"""Units of times that are counted from 1970."""
AP_GROUP: Final = "ap"
_SOME_TIME: Final = datetime(2026, 12, 31, 14, 7, 9, tzinfo=UTC)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{shown(text)} is no regular expression: {error}") from None
    return text


def _ap_pattern(text: str) -> str:
    if AP_GROUP not in re.compile(_pattern(text)).groupindex:
        raise ValueError(
            f"{shown(text)} has no group named {AP_GROUP}; write (?P<{AP_GROUP}>...) around the "
            "access point's name, such as ^(?P<ap>[^.]+)"
        )
    return text


def _time_format(text: str) -> str:
    if text not in EPOCH and "%" not in text:
        raise ValueError(
            f"{shown(text)} is no format of times; allowed: {listed(EPOCH)}, or a format such as "
            "'%d/%m/%Y %H:%M'"
        )
    if text not in EPOCH and not _tells_the_day(text):
        raise ValueError(
            f"{shown(text)} cannot be read as a time; allowed: %Y, %y, %m, %b, %B, %d, %j, %H, %I, "
            "%p, %M, %S, %f and %z, such as '%d/%m/%Y %H:%M', with the day, month and year"
        )
    return text


def _tells_the_day(form: str) -> bool:
    # Names of time zones are not read: CET, IST or CST may be several.
    if "%Z" in form:
        return False
    try:
        read = datetime.strptime(_SOME_TIME.strftime(form), form)  # noqa: DTZ007 - only the day
    except (ValueError, re.error):
        return False
    return read.date() == _SOME_TIME.date()


def _as_figure(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


class Figure(Section):
    """Where a figure stands. A text alone says `from`."""

    source: str = Field(alias="from", min_length=1, description="The column, or the metric.")
    factor: float = Field(
        1, gt=0, le=1e15, description="What is written, times this, is the figure in its unit."
    )


class Up(Section):
    """Where it stands whether the access point is up, and how that is written."""

    source: str = Field(alias="from", min_length=1, description="The column, or the metric.")
    up: tuple[str, ...] = Field(("1", "1.0", "true"), description="What means up.")
    down: tuple[str, ...] = Field(("0", "0.0", "false"), description="What means down.")
    unknown: tuple[str, ...] = Field((), description="What means that nobody knows.")

    @field_validator("up", "down", "unknown")
    @classmethod
    def _means_one_thing(cls, words: tuple[str, ...], info: Info) -> tuple[str, ...]:
        lower = tuple(word.lower() for word in words)
        for other, taken in info.data.items():
            both = set(lower) & set(taken) if other != "source" else set()
            if both:
                raise ValueError(f"{shown(min(both))} is under {other} too; keep one of them")
        return lower


Amount = Annotated[Figure, BeforeValidator(_as_figure)]


class Fields(Section):
    """The figures of a sample, each where the file has it."""

    up: Annotated[Up, BeforeValidator(_as_figure)] | None = Field(None, description="0 or 1.")
    clients: Amount | None = Field(None, description="Associated clients.")
    clients_2g: Amount | None = Field(None, description="Of them at 2.4 GHz.")
    clients_5g: Amount | None = Field(None, description="Of them at 5 GHz.")
    clients_6g: Amount | None = Field(None, description="Of them at 6 GHz.")
    rx_bytes: Amount | None = Field(None, description="A counter of bytes, no rate.")
    tx_bytes: Amount | None = Field(None, description="A counter of bytes, no rate.")
    uptime_s: Amount | None = Field(None, description="Seconds since the start.")

    def given(self) -> Mapping[str, Figure | Up]:
        """Those that the file has."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: figure for name, figure in found.items() if figure is not None}


class ColumnMapping(Section):
    """The whole of a mapping.

    Wide: a row is a sample, and `fields` name columns. Long: a row is one figure, `metric` is the
    column that says which and `value` the one that says how much, and `fields` name metrics.
    """

    time: str = Field(min_length=1, description="The column of the time.")
    time_format: Annotated[str, AfterValidator(_time_format)] | None = Field(
        None, description="Default: ISO 8601, or seconds or milliseconds since 1970."
    )
    timezone: TimeZone | None = Field(None, description="Of times without an offset.")
    align_seconds: int = Field(
        0, ge=0, le=86_400, description="Times are rounded to a multiple; joins what was one poll."
    )
    ap: str = Field(min_length=1, description="The column of the access point.")
    ap_pattern: Annotated[str, AfterValidator(_ap_pattern)] | None = Field(
        None, description="The part of its text that is the name, as the group `ap`."
    )
    aps: dict[str, str] = Field(default_factory=dict, description="Ids by the file's names.")
    site: str | None = Field(None, description="The column of the site; default: the AP's.")
    only: dict[str, Annotated[str, AfterValidator(_pattern)]] = Field(
        default_factory=dict, description="Patterns that these columns must match as a whole."
    )
    metric: str | None = Field(None, description="Long: the column of the metric's name.")
    value: str | None = Field(None, validate_default=True, description="Long: its value's.")
    fields: Fields = Field(description="Which column, or metric, holds what.")

    @field_validator("value")
    @classmethod
    def _long_is_whole(cls, value: str | None, info: Info) -> str | None:
        metric = info.data.get("metric")
        if "metric" in info.data and (metric is None) != (value is None):
            missing, there = ("value", "metric") if value is None else ("metric", "value")
            raise ValueError(f"{there} is given without {missing}; a long file has both")
        return value

    @field_validator("fields")
    @classmethod
    def _something_is_read(cls, fields: Fields, info: Info) -> Fields:
        sources: dict[str, str] = {}
        for name, figure in fields.given().items():
            other = sources.setdefault(figure.source, name)
            if other != name and info.data.get("metric"):
                raise ValueError(f"{other} and {name} are both from {shown(figure.source)}")
        if not sources:
            raise ValueError(f"holds no figure; allowed: {listed(Fields.model_fields)}")
        return fields

    @property
    def is_long(self) -> bool:
        """Whether a row is one figure."""
        return self.metric is not None


def ready_mappings() -> tuple[str, ...]:
    """The names of the ready ones."""
    return tuple(sorted(path.stem for path in READY_DIR.glob("*.yaml")))


def load_mapping(name: str, access_points: Collection[str]) -> ColumnMapping:
    """Read a mapping, by its file or, of a ready one, by its name. ConfigError: every mistake."""
    path = Path(name)
    if name in ready_mappings() and not path.exists():
        path = READY_DIR / f"{name}.yaml"
    elif not path.is_file():
        hint = did_you_mean(name, ready_mappings())
        what = "is a folder" if path.is_dir() else "there is no such file"
        message = f"{what}{hint}; allowed: a YAML file, or one of: {listed(ready_mappings())}"
        raise ConfigError([Problem(path, 1, "", message)])
    problems: list[Problem] = []
    file = _read(path, problems)
    mapping = _checked(path, file, access_points, problems) if file else None
    if problems or mapping is None:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line))
    return mapping


def _read(path: Path, problems: list[Problem]) -> YamlFile | None:
    return read_yaml(path, problems, needs="time:, ap: and fields:", such_as="time: clock")


def _checked(
    path: Path, file: YamlFile, access_points: Collection[str], problems: list[Problem]
) -> ColumnMapping | None:
    data = dict(file.data)
    base = data.pop("like", None)
    if base is not None:
        if base not in ready_mappings():
            hint = did_you_mean(str(base), ready_mappings())
            allowed = listed(ready_mappings())
            message = f"{shown(base)} is no ready mapping{hint}; allowed: {allowed}"
            problems.append(Problem(path, file.line(("like",)), "like", message))
            return None
        ready = _read(READY_DIR / f"{base}.yaml", problems)
        data = _over(ready.data if ready else {}, data)
    try:
        mapping = ColumnMapping.model_validate(data)
    except ValidationError as error:
        for mistake in mistakes(error, ColumnMapping):
            line = file.line(mistake.keys)
            problems.append(Problem(path, line, dotted(mistake.keys), mistake.message))
        return None
    for name, ap in mapping.aps.items():
        if ap not in access_points:
            hint = did_you_mean(ap, access_points)
            message = f"{shown(ap)} is not in access_points.csv{hint}"
            problems.append(Problem(path, file.line(("aps", name)), dotted(("aps", name)), message))
    return mapping


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """One's own keys over those of a ready mapping, those of `fields` and `aps` one by one."""
    merged = dict(base)
    for key, said in own.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(said, Mapping):
            merged[key] = {**under, **said}
        else:
            merged[key] = said
    return merged
