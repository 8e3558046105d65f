"""Another system's file as a sample file, by a mapping. Pure, and by columns."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from config.mapping import AP_GROUP, ColumnMapping, Figure, Up
from pipeline.imports.batch import Batch, Header, Mask, completed

NO_VALUE: Final = ("nan", "-nan", "+nan", "u", "null", "none", "n/a", "-")
"""How other systems write that there is none; rrdtool writes U, -nan and NaN."""
DECIMAL: Final = r"^[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?$"
INTEGER: Final = r"^[0-9]+$"
PER_MS: Final = {"microseconds": 1_000, "nanoseconds": 1_000_000}
MOST: Final = float(2**62)
"""Figures from here on stay as written, to be refused for what they are."""

Rule = Callable[[str], str | None]


class Mapped:
    """The layout that a mapping describes."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping
        self._fields = mapping.fields.given()

    @cached_property
    def header(self) -> Header:
        """The columns that the mapping names; others are not read."""
        m = self._mapping
        values = (m.metric, m.value) if m.is_long else (f.source for f in self._fields.values())
        named = dict.fromkeys([m.time, m.ap, m.site, *m.only, *values])
        names = tuple(name for name in named if name is not None)
        return Header(names, names, others=True)

    @cached_property
    def called(self) -> Mapping[str, str]:
        """What the file calls a column of a sample file."""
        m = self._mapping
        figures = {name: m.value or figure.source for name, figure in self._fields.items()}
        return {"ts": m.time, "ap": m.ap, "site": m.site or "site", **figures}

    @cached_property
    def hints(self) -> Mapping[str, str]:
        """What is allowed in a column, in the mapping's words."""
        form = self._mapping.time_format
        hints = {"up": "name it under up:, down: or unknown: of the mapping's up"}
        return hints | ({"ts": f"by the mapping times are written as {form}"} if form else {})

    @cached_property
    def up_words(self) -> Mapping[str, int]:
        """How up and down are written."""
        up = self._mapping.fields.up
        return dict.fromkeys(up.up, 1) | dict.fromkeys(up.down, 0) if up else {}

    @property
    def align_ms(self) -> int:
        """Times are rounded to a multiple of it; 0: as they are."""
        return self._mapping.align_seconds * 1000

    @property
    def is_long(self) -> bool:
        """Whether a row is one figure of a sample."""
        return self._mapping.is_long

    def arrange(self, batch: Batch) -> Batch:
        """The columns of a sample file; what the mapping passes over is counted by why."""
        left_out: dict[str, int] = {}
        for column, pattern in self._mapping.only.items():
            kept = _marked(batch.cells[column], re.compile(pattern).fullmatch)
            batch = _kept(batch, kept, left_out, f"{column} other than {pattern}")
        if self._mapping.metric:
            batch = self._asked_for(batch, self._mapping.metric, left_out)
        figures = {name: self._figure(name, batch.cells) for name in self._fields}
        said = np.zeros(len(batch.lines), dtype=bool)
        for figure in figures.values():
            said |= pc.is_valid(figure).to_numpy()
        whole = pa.table({**self._who_and_when(batch.cells), **figures})
        batch = Batch(completed(whole), batch.lines, batch.malformed, batch.done)
        batch = _kept(batch, said, left_out, "no value")
        return Batch(batch.cells, batch.lines, batch.malformed, batch.done, left_out)

    def _asked_for(self, batch: Batch, column: str, left_out: dict[str, int]) -> Batch:
        """The rows of the metrics that the mapping names."""
        sources = {figure.source for figure in self._fields.values()}
        metrics = batch.cells[column]
        kept = _marked(metrics, sources.__contains__)
        others = pc.value_counts(metrics.filter(pa.array(~kept)))
        for metric, count in zip(*others.flatten(), strict=True):
            name = metric.as_py()
            why = "no metric" if name is None else f"metric {name}"
            left_out[why] = left_out.get(why, 0) + count.as_py()
        return _kept(batch, kept, {}, "")

    def _who_and_when(self, cells: pa.Table) -> dict[str, pa.ChunkedArray]:
        m = self._mapping
        found = {"ts": self._times(cells[m.time]), "ap": _each(cells[m.ap], self._ap)}
        return found if m.site is None else {**found, "site": cells[m.site]}

    def _ap(self, text: str) -> str:
        pattern = self._mapping.ap_pattern
        match = re.search(pattern, text) if pattern else None
        name = (match[AP_GROUP] if match else None) or text
        return self._mapping.aps.get(name, name)

    def _times(self, text: pa.ChunkedArray) -> pa.ChunkedArray:
        """As a sample file writes times; what is not so written stays, to be refused."""
        form = self._mapping.time_format
        if form in PER_MS:
            return _each(text, lambda t: str(int(t) // PER_MS[form]) if t.isdecimal() else t)
        return _each_time(text, form) if form and "%" in form else text

    def _figure(self, name: str, cells: pa.Table) -> pa.ChunkedArray:
        m, figure = self._mapping, self._fields[name]
        if m.metric and m.value:
            its_own = pc.equal(cells[m.metric], figure.source)
            text = pc.if_else(its_own, cells[m.value], pa.scalar(None, pa.string()))
        else:
            text = cells[figure.source]
        if isinstance(figure, Up):
            nothing = {*figure.unknown, *NO_VALUE} - {*figure.up, *figure.down}
            return _each(text, lambda word: None if word.lower() in nothing else word)
        return _amounts(text, figure)


def _amounts(text: pa.ChunkedArray, figure: Figure) -> pa.ChunkedArray:
    """Whole numbers, rounded where there are decimals: means of counts have them."""
    nothing = pa.scalar(None, pa.string())
    absent = pc.is_in(pc.utf8_lower(text), pa.array(NO_VALUE), skip_nulls=True)
    text = pc.if_else(absent, nothing, text)
    if figure.factor == 1 and pc.all(pc.match_substring_regex(text, INTEGER)).as_py() is not False:
        return text
    number = pc.match_substring_regex(text, DECIMAL)
    plain = pc.replace_substring(pc.if_else(number, text, nothing), ",", ".")
    values = pc.multiply(pc.cast(plain, pa.float64()), figure.factor)
    whole = pc.round(values, round_mode="half_to_even")
    fits = pc.less(pc.abs(whole), MOST)
    fits = pc.fill_null(fits, fill_value=False)
    written = pc.cast(pc.cast(pc.if_else(fits, whole, None), pa.int64()), pa.string())
    return pc.if_else(fits, written, text)


def _each_time(text: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    encoded = text.combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_pandas()
    moments = pd.to_datetime(words, format=form, errors="coerce", utc="%z" in form)
    zone = "Z" if "%z" in form else ""
    iso = moments.dt.strftime(f"%Y-%m-%dT%H:%M:%S.%f{zone}").where(moments.notna(), words)
    return pa.chunked_array([pa.array(iso, pa.string()).take(encoded.indices)])


def _each(text: pa.ChunkedArray, rule: Rule) -> pa.ChunkedArray:
    """A rule for each text; asked once for each different one."""
    encoded = text.combine_chunks().dictionary_encode()
    words = [rule(word) for word in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(words, pa.string()).take(encoded.indices)])


def _marked(text: pa.ChunkedArray, test: Callable[[str], object]) -> Mask:
    encoded = text.combine_chunks().dictionary_encode()
    words = encoded.dictionary.to_pylist()
    holds = pa.array([bool(test(word)) for word in words], pa.bool_()).take(encoded.indices)
    marked: Mask = pc.fill_null(holds, fill_value=False).to_numpy(zero_copy_only=False)
    return marked


def _kept(batch: Batch, kept: Mask, left_out: dict[str, int], why: str) -> Batch:
    if kept.all():
        return batch
    left_out[why] = left_out.get(why, 0) + int((~kept).sum())
    cells = batch.cells.filter(pa.array(kept))
    return Batch(cells, batch.lines[kept], batch.malformed, batch.done)
