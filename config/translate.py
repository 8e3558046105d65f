"""What the models refuse, in the operator's words: the one place that knows pydantic's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.problems import did_you_mean, listed, shown

Keys = tuple[str | int, ...]


A_SECTION: Final = "keys and values of their own, indented under it"
A_LIST: Final = "a list, one '- item' a line"
NESTED: Final = {A_SECTION, A_LIST}

LIMITS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than": lambda c: f"too small; it must be more than {_plain(c['gt'])}",
    "greater_than_equal": lambda c: f"too small; it must be at least {_plain(c['ge'])}",
    "less_than": lambda c: f"too large; it must be less than {_plain(c['lt'])}",
    "less_than_equal": lambda c: f"too large; it must be at most {_plain(c['le'])}",
    "string_too_short": lambda c: f"too short; it takes at least {c['min_length']} character(s)",
    "string_too_long": lambda c: f"too long; it takes at most {c['max_length']} character(s)",
}
EXPECTED: Final = {
    "int": "a whole number, such as 300",
    "float": "a number, such as 2.5",
    "finite": "a number, such as 2.5",
    "bool": "true or false",
    "string": "text",
    "path": "the path of a file",
    "date": "a date, such as 2026-03-05",
    "model": A_SECTION,
    "dict": A_SECTION,
    "mapping": A_SECTION,
    "list": A_LIST,
    "tuple": A_LIST,
}
"""By the beginning of the error's type: `int_parsing`, `int_type`, `int_from_float`, ..."""

UNIONS: Final = {
    "credential_version": ("version", ("1", "2c", "3")),
    "store_kind": ("kind", ("sqlite", "influxdb")),
    "notifier_kind": ("kind", ("apprise", "alertmanager")),
}
"""Models told apart by the value of one key, by their error's type: that key, and its values."""


class Mistake(NamedTuple):
    """A wrong value: the way to it, and what is wrong and allowed."""

    keys: Keys
    message: str
    missing: bool


def mistakes(
    error: ValidationError, model: type[BaseModel], *, called: str = "key"
) -> Iterator[Mistake]:
    """Tell each mistake that a model found in keys (of a setting) or columns (of a row)."""
    for detail in error.errors(include_url=False):
        keys, owner = _locate(model, detail["loc"])
        if detail["type"] in UNIONS:
            keys = (*keys, UNIONS[detail["type"]][0])
        message = _message(detail, owner, called)
        yield Mistake(keys, message, missing=detail["type"] == "missing")


def allowed_names(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys or columns that a model takes, as they are written in the files."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def required_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Those that must be there."""
    fields = model.model_fields.items()
    return tuple(field.alias or name for name, field in fields if field.is_required())


def _message(detail: ErrorDetails, owner: type[BaseModel], called: str) -> str:
    kind, key = detail["type"], str(detail["loc"][-1])
    if kind == "extra_forbidden":
        names = allowed_names(owner)
        return f"unknown {called}{did_you_mean(key, names)}; allowed: {listed(names)}"
    if kind == "missing":
        about = next((f.description for n, f in owner.model_fields.items() if n == key), None)
        return "is missing" + (f": {about[0].lower()}{about[1:].rstrip('.')}" if about else "")
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind in UNIONS:
        decides, allowed = UNIONS[kind]
        return _not_among(detail["input"][decides], allowed)
    if kind == "literal_error":
        expected = detail["ctx"]["expected"].replace(" or ", ", ").split(", ")
        return _not_among(detail["input"], [word.strip("'") for word in expected])
    value, context = detail["input"], detail.get("ctx", {})
    if kind in LIMITS and not isinstance(value, Mapping | list):
        return f"{shown(_plain(value))} is {LIMITS[kind](context)}"
    described = next((what for start, what in EXPECTED.items() if kind.startswith(start)), None)
    expected = described or "a value of another kind; spotwatch check --schema tells which"
    if isinstance(value, Mapping | list) or expected in NESTED:
        # Not quoted: it can hold anything, a secret also.
        return f"must be {expected}"
    return f"{shown(_plain(value))} is not allowed; it must be {expected}"


def _not_among(value: object, words: Sequence[str]) -> str:
    if isinstance(value, Mapping | list):
        return f"must be one of: {listed(words)}"
    text = str(value)
    return f"{shown(text)} is not one of those allowed{did_you_mean(text, words)}; allowed: " + (
        listed(words)
    )


def _plain(value: object) -> object:
    """2.0 as 2: limits are declared as floats where the setting is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _locate(model: type[BaseModel], loc: Keys) -> tuple[Keys, type[BaseModel]]:
    """The way to a value without pydantic's names of union members, and the model that holds it."""
    keys: list[str | int] = []
    owner, annotation = model, cast(Any, model)
    for step in loc:
        if step == "[key]":  # pydantic's word for: the key itself is wrong
            continue
        choices = list(_choices(annotation))
        models = [choice for choice in choices if _is_model(choice)]
        member = next((m for m in models if len(models) > 1 and m.__name__ == step), None)
        if member:
            owner, annotation = member, member
            continue
        keys.append(step)
        owner = models[0] if models else owner
        annotation = next((inner for c in choices if (inner := _inside(c, step))), None)
    return tuple(keys), owner


def _choices(annotation: Any) -> Iterator[Any]:
    """What a value may be: the members of unions, one by one."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _choices(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for member in get_args(annotation):
            yield from _choices(member)
    else:
        yield annotation


def _inside(annotation: Any, step: str | int) -> Any:
    """What the value under a key, or in a list, may be; None where nothing is known."""
    if _is_model(annotation):
        fields = annotation.model_fields.items()
        return next((f.annotation for name, f in fields if step in {name, f.alias}), None)
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return arguments[-1] if arguments else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
