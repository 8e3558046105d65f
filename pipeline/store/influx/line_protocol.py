"""Line protocol: samples and usage as lines of text, and back. Times are in milliseconds.

Format: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/. No field here is
a string, so the part after a line's last-but-one space holds no space, comma or escape.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import pandas as pd

from collectors.reading import Reading
from pipeline.store.base import Level, StoreError
from pipeline.store.schema import (
    SAMPLE_FIELDS,
    SAMPLE_MEASUREMENT,
    UsageSchema,
)

_ESCAPES: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})

Value = int | float
SiteTags = Mapping[str, tuple[str | None, str | None]]
"""Each site's kind and commune."""


def unwritable(tag_value: str) -> str | None:
    """Why a name cannot be a tag value, or None. Line protocol has no way to write such names."""
    if not tag_value:
        return "it is empty"
    if tag_value.endswith("\\"):
        return "it ends with a backslash"
    if any(character < " " for character in tag_value):
        return "it holds a control character"
    return None


@lru_cache(maxsize=65536)
def _head(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    for name, value in tags:
        if reason := unwritable(value):
            raise StoreError(f"{name} {value!r} cannot be stored in InfluxDB: {reason}; rename it")
    # Sorted by key, as InfluxDB sorts them: it then has nothing to do.
    written = (f"{name}={value.translate(_ESCAPES)}" for name, value in sorted(tags))
    return ",".join((measurement, *written))


def sample_line(reading: Reading) -> bytes:
    """One reading as a line. What it does not say is left out; NaN says nothing.

    Raises StoreError where the name of the AP or the site cannot be written.
    """
    return sample_line_of(
        reading.site, reading.ap, reading.ts_ms, dict(zip(SAMPLE_FIELDS, reading[3:], strict=True))
    )


def sample_line_of(site: str, ap: str, ts_ms: int, fields: Mapping[str, Value | None]) -> bytes:
    """A sample as a line, from its fields by name."""
    head = _head(SAMPLE_MEASUREMENT, (("ap", ap), ("site", site)))
    written = ",".join(
        f"{name}={float(value)!r}" if SAMPLE_FIELDS[name] == "float" else f"{name}={int(value)}i"
        for name, value in fields.items()
        if value is not None and math.isfinite(value)
    )
    return f"{head} {written} {ts_ms}".encode()


def usage_lines(
    schema: UsageSchema, level: Level, usage: pd.DataFrame, tags: SiteTags
) -> Iterator[bytes]:
    """Rows of usage as lines. `tags`: each site's kind and commune; an unknown one is left out."""
    measurement = schema.measurements[level]
    # As objects, so that a nullable integer arrives as an int or NA, never by way of a float.
    subjects = [usage[name] for name in schema.subject]
    columns = [usage[name].astype(object) for name in ("start_ms", *schema.fields)]
    for subject, (start_ms, *values) in zip(
        zip(*subjects, strict=True), zip(*columns, strict=True), strict=True
    ):
        head = _head(measurement, usage_tags(schema, subject, tags))
        written = ",".join(
            f"{name}={int(value)}i"
            for name, value in zip(schema.fields, values, strict=True)
            if value is not pd.NA and value is not None
        )
        yield f"{head} {written} {start_ms}".encode()


def usage_tags(
    schema: UsageSchema, subject: tuple[str, ...], tags: SiteTags
) -> tuple[tuple[str, str], ...]:
    """The tags of usage, those that are known. `subject`: whose it is, its site first."""
    of_site = tags.get(subject[0], (None, None))
    named = zip(schema.tags, (*subject, *of_site), strict=True)
    return tuple((name, value) for name, value in named if value)


def fields_of(line: bytes) -> dict[str, Value]:
    """The fields of a line that this module wrote."""
    written = line.rsplit(b" ", 2)[1].decode()
    pairs = (field.split("=", 1) for field in written.split(","))
    return {name: int(text[:-1]) if text.endswith("i") else float(text) for name, text in pairs}


def merge_lines(older: bytes, newer: bytes) -> bytes:
    """The newer line with the fields that only the older one carries; tags are the newer's."""
    head, fields, ts = newer.rsplit(b" ", 2)
    carried = {field.split(b"=", 1)[0] for field in fields.split(b",")}
    kept = [f for f in older.rsplit(b" ", 2)[1].split(b",") if f.split(b"=", 1)[0] not in carried]
    return b" ".join((head, b",".join((fields, *kept)), ts))


def body(lines: Iterable[bytes]) -> bytes:
    """What one write carries."""
    return b"\n".join(lines)
