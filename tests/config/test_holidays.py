"""`holidays.csv`: days that are holidays beside the country's."""

from datetime import date

import pytest

from config.deployment import Holiday
from config.loader import load
from tests.config.conftest import Told, Write

HEADER = "commune,from,to,kind,name\n"
SITES = "site,kind,commune\nbib,library,Havremont\nparc,park,La Verrerie\n"


def test_holidays_are_of_a_commune_or_of_the_whole_city(write: Write) -> None:
    rows = "Havremont,2026-09-07,2026-09-07,public,kermesse\n,2026-07-06,2026-08-30,school,\n"
    deployment = load(write({"sites.csv": SITES, "holidays.csv": HEADER + rows}))
    feast, summer = deployment.holidays
    assert (feast.commune, feast.kind, feast.name) == ("Havremont", "public", "kermesse")
    assert (feast.start, feast.end) == (date(2026, 9, 7), date(2026, 9, 7))
    assert (summer.commune, summer.kind, summer.name) == (None, "school", None)
    assert (summer.start, summer.end) == (date(2026, 7, 6), date(2026, 8, 30))


def test_without_the_file_there_are_none(write: Write) -> None:
    assert load(write()).holidays == ()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "Havrement,2026-09-07,2026-09-07,public,",
            "commune: 'Havrement' is the commune of no site in sites.csv; did you mean 'Havremont'",
        ),
        (
            "Quelmont,2026-09-07,2026-09-07,public,",
            "commune: 'Quelmont' is the commune of no site in sites.csv; name one that is, or none",
        ),
        (",2026-09-08,2026-09-07,public,", "to: 2026-09-07 is before from, 2026-09-08; allowed"),
        (",2026-07-06,2027-08-30,school,", "to: 2027-08-30 is 421 days from 2026-07-06; allowed"),
        (",2026-09-07,2026-09-07,bank,", "kind: 'bank' is not one of those allowed; allowed: pub"),
        (",2026-09-07,2026-09-07,scool,", "kind: 'scool' is not one of those allowed; did you"),
        (",2026-09-07,,public,", "to: is empty; a value is required"),
        (",,2026-09-07,public,", "from: is empty; a value is required"),
        (",07/09/2026,2026-09-07,public,", "from: '07/09/2026' is not a date; write year-month"),
        (",2026-09-07 10:00,2026-09-07,public,", "from: '2026-09-07 10:00' is not a date"),
        ("x,y", "has 2 cells, the header 5"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(write: Write, told: Told, row: str, problem: str) -> None:
    (line,) = told(write({"sites.csv": SITES, "holidays.csv": HEADER + row + "\n"}))
    assert line.startswith(f"holidays.csv:2: {problem}")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (
            "commune,from,kind",
            "holidays.csv:1: to: the column is missing; required: from, to, kind",
        ),
        ("commune,start,to,kind", "holidays.csv:1: start: unknown column"),
    ],
)
def test_what_is_wrong_with_the_columns_is_told(
    write: Write, told: Told, header: str, problem: str
) -> None:
    lines = told(write({"sites.csv": SITES, "holidays.csv": header + "\n"}))
    assert any(line.startswith(problem) for line in lines)


def test_a_misspelt_name_of_the_file_is_told(write: Write, told: Told) -> None:
    assert told(write({"holiday.csv": ""}))[0].startswith(
        "holiday.csv:1: is not read; rename holiday.csv to holidays.csv"
    )


def test_communes_are_not_called_wrong_where_the_sites_cannot_be_read(
    write: Write, told: Told
) -> None:
    row = "Anywhere,2026-09-07,2026-09-07,public,\n"
    assert len(told(write({"sites.csv": "", "holidays.csv": HEADER + row}))) == 1


def test_a_holiday_can_be_made_in_code_by_the_names_that_code_uses() -> None:
    one = Holiday(start=date(2026, 9, 7), end=date(2026, 9, 7), kind="public")
    assert one == Holiday.model_validate(
        {"from": "2026-09-07", "to": "2026-09-07", "kind": "public"}
    )
