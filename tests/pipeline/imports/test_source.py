"""Files as people and programs write them: every row with its line, every bad line told."""

import csv
import gzip
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.problems import ConfigError
from pipeline.imports import csv_file, parquet_file
from pipeline.imports.batch import COLUMNS, SAMPLES
from pipeline.imports.layout import AsWritten
from pipeline.imports.source import open_source

T = "2026-03-05T10:04:00Z"
Found = tuple[list[tuple[int, dict[str, str]]], dict[int, str]]


def found(path: Path) -> Found:
    """Line and cells that hold something of each row; the message of each malformed line."""
    rows: list[tuple[int, dict[str, str]]] = []
    malformed: dict[int, str] = {}
    for batch in open_source(path).batches(SAMPLES):
        for line, row in zip(batch.lines.tolist(), batch.cells.to_pylist(), strict=True):
            rows.append((line, {name: cell for name, cell in row.items() if cell is not None}))
        malformed |= {bad.line: bad.message for bad in batch.malformed}
    return rows, malformed


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], Found]:
    def reading(content: str | bytes) -> Found:
        path = tmp_path / "history.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return found(path)

    return reading


Read = Callable[[str | bytes], Found]
ONE = [(2, {"ts": T, "ap": "ap-1", "clients": "3"})]


@pytest.mark.parametrize(
    "content",
    [
        f"ts,ap,clients\n{T},ap-1,3\n",
        f"ts,ap,clients\n{T},ap-1,3",
        f"ts;ap;clients\r\n{T};ap-1;3\r\n",
        f"ts\tap\tclients\n{T}\tap-1\t3\n",
        f"ts,ap,clients\r{T},ap-1,3\r",
        f"\ufeffts,ap,clients\n{T},ap-1,3\n",
        f'"ts","ap","clients"\n"{T}","ap-1","3"\n',
        f"ts , ap , clients\n {T} ,\tap-1,\u00a03 \n",
        f'ts,ap,clients\n{T}, "ap-1",3\n',
        f"ts,ap,clients,,\n{T},ap-1,3,,\n",
        f"ts,ap,clients\n{T},ap-1,3,,\n",
        f"clients,ts,ap\n3,{T},ap-1\n",
        f"ts,ap,clients,up\n{T},ap-1,3,\n",
    ],
)
def test_every_spreadsheet_says_the_same(read: Read, content: str) -> None:
    assert read(content) == (ONE, {})


def test_a_first_line_for_excel_names_the_separator(read: Read) -> None:
    assert read(f"sep=;\nts;ap;clients\n{T};ap-1;3\n") == ([(3, ONE[0][1])], {})


def test_lines_without_content_are_no_rows_and_are_counted_as_lines(read: Read) -> None:
    rows, malformed = read(f"\n\nts,ap,clients\n\n{T},ap-1,3\n,,\n  \n\n{T},ap-2,4\n\n")
    assert [(line, row["ap"]) for line, row in rows] == [(5, "ap-1"), (9, "ap-2")]
    assert malformed == {}


def test_a_bad_line_is_told_and_takes_no_other_with_it(read: Read) -> None:
    lines = [
        "ts,ap,clients",
        f'{T},"ap-1,3',  # 2
        f"{T},ap-2,4",
        f'{T},"ap-3"x,3',  # 4
        "too,few",  # 5
        f"{T},ap-4,4,what,is,this",  # 6
        f'{T},"ap ""5""",5',
        f"{T},ap-\xe9,6",  # 8, not UTF-8
        f"{T},ap-7,7",
    ]
    rows, malformed = read("\n".join(lines).encode("latin-1"))
    assert [(line, row["ap"]) for line, row in rows] == [(3, "ap-2"), (7, 'ap "5"'), (9, "ap-7")]
    assert sorted(malformed) == [2, 4, 5, 6, 8]
    assert "quotes do not match" in malformed[2]
    assert malformed[5] == "has 2 cells, the header 3"
    assert "UTF-8" in malformed[8]


def test_a_file_of_bad_lines_only_is_told_line_by_line(read: Read) -> None:
    rows, malformed = read("ts,ap,clients\na\nb\n")
    assert rows == []
    assert sorted(malformed) == [2, 3]


def test_a_header_without_rows_is_no_mistake(read: Read) -> None:
    assert read("ts,ap,clients") == ([], {})


cells = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6
).filter(lambda text: "\ufffd" not in text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(cells, cells, cells).filter(lambda r: any(c.strip(' ,;\t"') for c in r))),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.integers(1, 200),
)
@example([("a", "b,c;d", 'e"f'), ("1", "2", "3")], ",", "\n", csv.QUOTE_MINIMAL, 1)
def test_what_a_csv_writer_writes_is_read_back_however_it_is_cut_into_blocks(
    monkeypatch_module: pytest.MonkeyPatch,
    tmp_path: Path,
    rows: list[tuple[str, str, str]],
    separator: str,
    end: str,
    quoting: Any,
    block: int,
) -> None:
    monkeypatch_module.setattr(csv_file, "BLOCK_CHARACTERS", block)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerow(("ts", "ap", "clients"))
    writer.writerows(rows)
    path = tmp_path / "written.csv"
    path.write_bytes(text.getvalue().encode())

    expected = [
        (
            line,
            {n: c.strip() for n, c in zip(("ts", "ap", "clients"), row, strict=True) if c.strip()},
        )
        for line, row in enumerate(rows, 2)
    ]
    assert found(path) == (expected, {})


@pytest.fixture
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_zipped_files_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "history.csv.gz"
    path.write_bytes(gzip.compress(f"ts,ap,clients\n{T},ap-1,3\n".encode()))
    assert found(path) == (ONE, {})


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text(f"ts,ap\n{T},ap-1\n", encoding="utf-8")
    source = open_source(path)
    assert [batch.done for batch in source.batches(SAMPLES)] == [source.size]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("h.csv", b"", r":1: is empty; its first line must name the columns: ts, ap, site"),
        ("h.csv", b"\n\n", r":1: is empty"),
        ("h.csv", b"ts,clients\n", r":1: ap: the column is missing; required: ts, ap"),
        ("h.csv", b"\nts,ap,client\n", r":2: client: unknown column; did you mean 'clients'"),
        ("h.csv", b"ts,ap,ap\n", r":1: ap: the column is there twice"),
        ("h.csv", b"ts,ap,,up\n", r":1: column 3 has no name"),
        ("h.csv", "ts,ap\n".encode("utf-16"), r":1: is not UTF-8; in Excel"),
        ("h.csv", b"PK\x03\x04....", r":1: is a workbook"),
        ("h.csv.gz", b"ts,ap\n", r":1: cannot be read from here on"),
        ("h.parquet", b"ts,ap\n", r":1: cannot be read as Parquet"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        found(path)


def test_a_file_that_breaks_off_is_told_with_the_line_and_what_came_before_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_CHARACTERS", 1000)
    rows = "".join(f"{i * 7919},ap-{i}\n" for i in range(20_000))
    path = tmp_path / "history.csv.gz"
    path.write_bytes(gzip.compress(f"ts,ap\n{rows}".encode())[:-5000])
    batches = open_source(path).batches(SAMPLES)
    read: list[int] = []
    with pytest.raises(ConfigError) as caught:
        read.extend(line for batch in batches for line in batch.lines.tolist())
    first = next(open_source(path).batches(SAMPLES)).lines.tolist()
    assert first[0] == 2
    assert len(first) < caught.value.problems[0].line < 20_000


@pytest.mark.parametrize("there", [False, True])
def test_what_is_no_file_is_refused(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "history.csv"
    if there:
        path.mkdir()
    with pytest.raises(ConfigError, match="is a folder" if there else "there is no such file"):
        open_source(path)


def parquet(tmp_path: Path, **columns: Any) -> Path:
    path = tmp_path / "history.parquet"
    pq.write_table(pa.table(columns), path)
    return path


BRUSSELS = timezone(timedelta(hours=1))
NOON = datetime(2026, 3, 5, 12, 0, 0, 123_456, BRUSSELS)


def test_parquet_says_the_same_whatever_the_types_of_its_columns(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        ts=pa.array([NOON, NOON], pa.timestamp("us", "Europe/Brussels")),
        ap=pa.array(["ap-1", "\tap-2"]).dictionary_encode(),
        up=pa.array([True, None]),
        clients=pa.array([12.0, float("nan")]),
        clients_2g=pa.array([Decimal("3.00"), None]),
        rx_bytes=pa.array([2**63 - 1, 2**64 - 1], pa.uint64()),
        uptime_s=pa.array([0, 7], pa.int8()),
    )
    ts = "2026-03-05T11:00:00.123Z"
    assert found(path) == (
        [
            (
                1,
                {
                    "ts": ts,
                    "ap": "ap-1",
                    "up": "1",
                    "clients": "12",
                    "clients_2g": "3.00",
                    "rx_bytes": str(2**63 - 1),
                    "uptime_s": "0",
                },
            ),
            (2, {"ts": ts, "ap": "ap-2", "rx_bytes": str(2**64 - 1), "uptime_s": "7"}),
        ],
        {},
    )


def test_parquet_times_without_a_zone_keep_without_one_and_numbers_their_digits(
    tmp_path: Path,
) -> None:
    naive = parquet(tmp_path, ts=[NOON.replace(tzinfo=None)], ap=["ap-1"])
    assert found(naive)[0][0][1]["ts"].startswith("2026-03-05T12:00:00.123")
    assert not found(naive)[0][0][1]["ts"].endswith("Z")
    epoch = parquet(tmp_path, ts=[1772705040.123, 1772705040.0], ap=["a", "b"])
    assert [row["ts"] for _, row in found(epoch)[0]] == ["1772705040.123", "1772705040"]
    day = parquet(tmp_path, ts=[date(2026, 3, 5)], ap=["a"])
    assert [row["ts"] for _, row in found(day)[0]] == ["2026-03-05"]


def test_parquet_rows_are_numbered_through_all_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "BATCH_ROWS", 3)
    path = parquet(tmp_path, ts=[str(i) for i in range(8)], ap=["a"] * 8)
    rows, _ = found(path)
    assert [(line, row["ts"]) for line, row in rows] == [(i + 1, str(i)) for i in range(8)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ts": [1], "mac": ["x"]}, ":1: mac: unknown column"),
        ({"ts": [1]}, ":1: ap: the column is missing"),
        ({"ts": [1], "ap": [["ap-1"]]}, ":1: ap: a column of list.* is not allowed"),
    ],
)
def test_parquet_columns_that_cannot_be_used_are_refused(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        found(parquet(tmp_path, **columns))


def test_every_column_of_the_table_is_there_in_order(tmp_path: Path) -> None:
    path = parquet(tmp_path, ap=["a"], ts=[1])
    (read,) = open_source(path).batches(SAMPLES)
    batch = AsWritten().arrange(read)
    assert tuple(batch.cells.column_names) == COLUMNS
