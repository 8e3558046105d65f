"""Moving house: all of it arrives, a copy that was cut short goes on, and damage is told."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from collectors.reading import MAX_COUNTER, Reading
from pipeline.store.base import StoreError
from pipeline.store.copy import DAY_MS, DifferentError, copy, fingerprint, pieces
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from pipeline.store.sqlite import SqliteStore

T = 1_790_000_000_000
EVER = (0, 2**50)


def reading(ap: str, ts_ms: int, site: str = "bib", **said: float) -> Reading:
    unknown = dict.fromkeys(Reading._fields[3:-1])
    return Reading(**{**unknown, **said}, ap=ap, site=site, ts_ms=ts_ms, interval_s=300)  # type: ignore[arg-type]


def usage(site: str, start_ms: int, length_ms: int, **said: int | None) -> dict[str, object]:
    return {
        **dict.fromkeys(USAGE_COLUMNS, 0),
        "site": site,
        "start_ms": start_ms,
        "end_ms": start_ms + length_ms,
        "peak_clients": None,
        **said,
    }


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(USAGE_COLUMNS)).astype(USAGE_COLUMNS)


def ap_usage(ap: str, start_ms: int, **said: int | None) -> pd.DataFrame:
    row: dict[str, object] = dict.fromkeys(AP_USAGE_COLUMNS, 1)
    row |= {"site": "bib", "ap": ap, "start_ms": start_ms, **said}
    return pd.DataFrame([row], columns=list(AP_USAGE_COLUMNS)).astype(AP_USAGE_COLUMNS)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "source.db")) as store:
        store.write_samples(
            [
                reading("a1", T, up=1, clients=3, rx_bytes=MAX_COUNTER, channel_utilisation=0.25),
                reading("a1", T + 1, up=0),
                reading("a2", T + 5 * DAY_MS, site="parc", rx_bytes=MAX_COUNTER),
            ]
        )
        days = [usage("bib", T - T % DAY_MS + i * DAY_MS, DAY_MS, user_ms=2**62) for i in range(6)]
        store.write_usage("day", frame(days))
        quarter = 900_000
        start = T - T % DAY_MS
        store.write_usage(
            "15min",
            frame(
                [
                    usage("bib", start, quarter, peak_clients=4, rx_bytes=None, tx_bytes=None),
                    usage("parc", start + 5 * DAY_MS + quarter, quarter, clients_ms=7),
                ]
            ),
        )
        store.write_usage("hour", frame([usage("bib", start, 4 * quarter, aps=2)]))
        hours = [ap_usage("a1", start), ap_usage("a1", start + 5 * DAY_MS), ap_usage("a2", start)]
        store.write_ap_usage("hour", pd.concat(hours, ignore_index=True))
        store.write_ap_usage("day", ap_usage("a1", start, sessions=None))
        yield store


@pytest.fixture
def target(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "target.db")) as store:
        yield store


def everything(store: SqliteStore) -> list[pd.DataFrame]:
    levels = [store.read_usage(level, *EVER) for level in ("15min", "hour", "day")]
    of_aps = [store.read_ap_usage(level, *EVER) for level in ("hour", "day")]
    return [store.read_samples(*EVER), *levels, *of_aps]


def at_once() -> None:
    """SQLite has nothing on its way."""


def test_all_of_it_arrives_as_it_was(source: SqliteStore, target: SqliteStore) -> None:
    told: list[tuple[int, int]] = []
    parts = pieces(source)
    copied = copy(source, target, parts, settle=at_once, progress=lambda *d: told.append(d))
    for there, here in zip(everything(target), everything(source), strict=True):
        pd.testing.assert_frame_equal(there, here)
    assert (copied.samples, copied.usage_rows) == (3, 9 + 4)
    assert told[-1] == (len(parts), len(parts))


def test_a_copy_that_was_cut_short_goes_on_and_a_second_one_writes_nothing(
    source: SqliteStore, target: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = pieces(source)
    copy(source, target, parts[:3], settle=at_once)
    written: list[int] = []
    write = target.write_samples

    def counted(rows: Sequence[Reading]) -> None:
        written.append(len(rows))
        write(rows)

    monkeypatch.setattr(target, "write_samples", counted)
    assert copy(source, target, parts, settle=at_once).already_there >= 3
    assert sum(written) == 1
    written.clear()
    assert copy(source, target, parts, settle=at_once).already_there == len(parts)
    assert written == []


def test_what_the_target_held_before_stays(source: SqliteStore, target: SqliteStore) -> None:
    target.write_samples([reading("other", T, site="elsewhere", clients=1)])
    copy(source, target, pieces(source), settle=at_once)
    assert set(target.read_samples(*EVER)["ap"]) == {"a1", "a2", "other"}


def test_samples_that_would_expire_stay_behind(source: SqliteStore, target: SqliteStore) -> None:
    copy(source, target, pieces(source, samples_since_ms=T + DAY_MS), settle=at_once)
    assert target.read_samples(*EVER)["ap"].tolist() == ["a2"]
    assert len(target.read_usage("day", *EVER)) == 6


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"clients": 4}, "clients: 1 values, sum 3 written, 1, 4 there"),
        ({"rx_bytes": MAX_COUNTER - 1}, f"sum {MAX_COUNTER} written, 1, {MAX_COUNTER - 1} there"),
        (None, "2 rows were written and 1 are there"),
    ],
)
def test_what_does_not_arrive_as_it_was_is_told(
    source: SqliteStore,
    target: SqliteStore,
    monkeypatch: pytest.MonkeyPatch,
    damage: dict[str, int] | None,
    said: str,
) -> None:
    write = target.write_samples

    def damaged(rows: Sequence[Reading]) -> None:
        write(
            rows[1:] if damage is None else [Reading(**{**rows[0]._asdict(), **damage}), *rows[1:]]
        )

    monkeypatch.setattr(target, "write_samples", damaged)
    with pytest.raises(DifferentError, match="samples from 2026-09-21") as caught:
        copy(source, target, pieces(source), settle=at_once)
    assert said in str(caught.value)
    assert isinstance(caught.value, StoreError)


def test_usage_of_an_access_point_that_does_not_arrive_is_told(
    source: SqliteStore, target: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = target.write_ap_usage
    monkeypatch.setattr(
        target, "write_ap_usage", lambda level, rows: write(level, rows.assign(user_ms=2))
    )
    with pytest.raises(DifferentError, match=r"usage of access points \(hour\) from 2026-09-21"):
        copy(source, target, pieces(source), settle=at_once)


def test_a_fingerprint_is_exact_past_63_bits() -> None:
    rows = pd.DataFrame({"n": pd.array([2**62, 2**62, 2**62, None], dtype="Int64")})
    assert fingerprint(rows)["n"].tolist() == [3, 3 * 2**62]
    other = pd.DataFrame({"n": pd.array([2**62, 2**62, 2**62 - 1, 1], dtype="Int64")})
    assert not fingerprint(other).equals(fingerprint(rows))


def test_an_empty_store_has_nothing_to_copy(target: SqliteStore) -> None:
    assert pieces(target) == []
