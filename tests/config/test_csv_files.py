"""CSV as spreadsheets write it, and what is told of one that cannot be read."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.csvfile import read_table
from config.loader import load
from config.problems import Problem
from tests.config.conftest import Told, Write

FULL = (
    "site,name_fr,kind,lat,lon,opening_hours,capex_eur\n"
    'bib,"Bibliothèque, centrale",library,50.64,4.13,"Mo-Fr 09:00-17:00",1250.5\n'
)
FRENCH = (
    "site;name_fr;kind;lat;lon;opening_hours;capex_eur\r\n"
    'bib;Bibliothèque, centrale;library;50,64;4,13;"Mo-Fr 09:00-17:00";1250,50\r\n'
)
ONE_AP = "ap,site,source\nbib-1,bib,import\n"


@pytest.mark.parametrize(
    "content",
    [
        FULL.encode(),
        FULL.encode("utf-8-sig"),
        FULL.replace("\n", "\r\n").encode(),
        FULL.replace("\n", "\r").encode(),
        FRENCH.encode(),
        FRENCH.encode("utf-8-sig"),
        b"sep=;\r\n" + FRENCH.encode(),
        b"\xef\xbb\xbfsep=;\r\n" + FRENCH.encode(),
        FRENCH.replace(";", "\t").encode(),
        FRENCH.replace("\r\n", ";;;\r\n").encode() + b";;;;;;;;;\r\n",
        b"\n\n" + FULL.encode() + b"\n  \n\n",
        FULL.replace("bib,", "  bib\t ,").replace("library", " library\u00a0").encode(),
    ],
)
def test_a_table_is_read_alike_however_a_spreadsheet_wrote_it(write: Write, content: bytes) -> None:
    deployment = load(write({"sites.csv": content, "access_points.csv": ONE_AP}))
    (site,) = deployment.sites.values()
    assert (site.site, site.name_fr, site.kind) == ("bib", "Bibliothèque, centrale", "library")
    assert (site.lat, site.lon, site.capex_eur) == (50.64, 4.13, 1250.5)
    assert site.opening_hours == "Mo-Fr 09:00-17:00"


def test_an_empty_cell_is_unknown_and_never_zero(write: Write) -> None:
    sites = "site,kind,name_fr,lat,lon,target_public,capex_eur\nbib,library,,,,,\n"
    site = load(write({"sites.csv": sites, "access_points.csv": ONE_AP})).sites["bib"]
    assert (site.name_fr, site.lat, site.lon, site.target_public, site.capex_eur) == (None,) * 5


def test_lines_are_counted_as_the_file_has_them(write: Write, told: Told) -> None:
    sites = (
        "site,name_fr,kind\n"  # 1
        'bib,"Bibliothèque\ncentrale\n",library\n'  # 2 to 4
        "\n"  # 5
        "parc,Parc,parc\n"  # 6
    )
    (problem,) = told(write({"sites.csv": sites}))
    assert problem.startswith("sites.csv:6: kind: 'parc' is not one of those allowed")


@pytest.mark.parametrize(
    ("sites", "problem"),
    [
        ("", "sites.csv:1: is empty; its first line must name the columns: site, name_fr"),
        ("\n\n", "sites.csv:1: is empty; its first line must name the columns"),
        ("bib,library\n", "sites.csv:1: names no known column; the first line must: site,"),
        ("site,kind\nbib,library\nparc\n", "sites.csv:3: has 1 cell, the header 2"),
        ("site,kind\nbib,library,x\n", "sites.csv:2: has 3 cells, the header 2"),
        (
            "site,knd,kind\nbib,x,library\n",
            "sites.csv:1: knd: unknown column; did you mean 'kind'?",
        ),
        (
            "site,kind,x9\nbib,library,1\n",
            "sites.csv:1: x9: unknown column; allowed: site, name_fr",
        ),
        ("site,kind,kind\nbib,library,park\n", "sites.csv:1: kind: the column is there twice"),
        ("site,,kind\nbib,,library\n", "sites.csv:1: column 2 has no name"),
        ("site\nbib\n", "sites.csv:1: kind: the column is missing; required: site, kind"),
        ("site,kind\nbib,\n", "sites.csv:2: kind: is empty; a value is required"),
        ("site,kind\n,library\n", "sites.csv:2: site: is empty; a value is required"),
        ('site,kind\nbib,library\nparc,"park\n', "sites.csv:3: a quoted cell that begins here is"),
        ('site,kind\n"b"ib,library\n', "sites.csv:2: text follows a closing quote"),
        ("site,kind\nbib,library\n bib,park\n", "sites.csv:3: site: 'bib' is already on line 2"),
    ],
)
def test_a_table_that_is_wrong_is_told_where_and_what_is_allowed(
    write: Write, told: Told, sites: str, problem: str
) -> None:
    folder = write({"sites.csv": sites})
    assert any(line.startswith(problem) for line in told(folder)), told(folder)


def test_a_quote_that_is_never_closed_is_found_however_long_the_file(
    write: Write, told: Told
) -> None:
    sites = 'site,kind\nbib,"library\n' + "".join(f"s{i},park\n" for i in range(30_000))
    assert told(write({"sites.csv": sites}))[0].startswith("sites.csv:2: a quoted cell that begins")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "site,kind,name_fr\nparc,park,Parc\nbib,library,Bibliothèque\n".encode("latin-1"),
            "sites.csv:3: is not UTF-8 (byte 0xe8, as Latin-1 and Windows files have); in Excel",
        ),
        (
            b"\xef\xbb\xbfsite,kind\r\nparc,park\r\nbib\xff,library\r\n",
            "sites.csv:3: is not UTF-8 (byte 0xff",
        ),
        (
            "site\tkind\r\nbib\tlibrary\r\n".encode("utf-16"),
            "sites.csv:1: is UTF-16, not UTF-8; in",
        ),
        ("site,kind\nbib,library".encode("utf-16-le"), "sites.csv:1: holds a zero byte"),
        (b"site,kind\nbib,library\n\0\0\0\0", "sites.csv:3: holds a zero byte: it is damaged"),
        (
            b"PK\x03\x04\x14\0\x06\0",
            "sites.csv:1: is a workbook, not a text file; in Excel save as",
        ),
    ],
)
def test_another_encoding_is_told_with_how_to_save_it(
    write: Write, told: Told, content: bytes, problem: str
) -> None:
    folder = write({"sites.csv": content, "access_points.csv": "ap,site,source\n"})
    assert told(folder)[0].startswith(problem), told(folder)
    assert "UTF-8" in told(folder)[0]


def test_a_latin_1_file_is_checked_all_the_same(write: Write, told: Told) -> None:
    sites = "site,kind,name_fr\nbib,libary,Bibliothèque\n".encode("latin-1")
    problems = told(write({"sites.csv": sites, "access_points.csv": ONE_AP}))
    assert [problem.split(": ")[0] for problem in problems] == ["sites.csv:2", "sites.csv:2"]
    assert "did you mean 'library'?" in "".join(problems)


COLUMNS = ("place", "name", "note")
cells = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    | st.sampled_from('\n;,\t"'),
    max_size=12,
)


@given(
    rows=st.lists(st.tuples(cells, cells, cells), max_size=6),
    separator=st.sampled_from(",;\t"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    bom=st.booleans(),
)
def test_what_any_spreadsheet_writes_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    separator: str,
    end: str,
    quoting: int,
    bom: bool,
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(COLUMNS)
    # Spreadsheets quote a cell that begins with a space; Python's writer does not.
    writer.writerows([[cell.strip() for cell in row] for row in rows])
    path: Path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    problems: list[Problem] = []
    table = read_table(path, COLUMNS, COLUMNS[:1], problems)
    assert problems == []
    assert table is not None
    expected = [
        {name: cell.strip() for name, cell in zip(COLUMNS, row, strict=True) if cell.strip()}
        for row in rows
    ]
    assert [dict(row.cells) for row in table.rows] == [cells for cells in expected if cells]
