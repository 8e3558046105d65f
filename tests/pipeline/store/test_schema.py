"""The stored schema, as data: what every store and every reader of InfluxDB relies on."""

import re
from pathlib import Path

import pytest

from collectors.reading import Reading
from pipeline.store import schema

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def documented(measurement: str) -> set[str]:
    """The tags and fields that the README's row of a measurement names."""
    (row,) = re.findall(rf"^\| (?:`\w+`, )*`{measurement}`[,| ].*$", README, re.MULTILINE)
    _, _, tags, fields = row.strip("| ").split(" | ")
    return set(re.findall(r"`(\w+)`", tags + fields))


def test_every_part_of_a_sample_is_its_time_a_tag_or_a_field() -> None:
    columns = {"ts_ms", *schema.SAMPLE_TAGS, *schema.SAMPLE_FIELDS}
    assert columns == set(Reading._fields)


def test_states_and_counters_are_integers_so_that_they_can_be_averaged_and_subtracted() -> None:
    floats = {name for name, kind in schema.SAMPLE_FIELDS.items() if kind != "integer"}
    assert floats == {"channel_utilisation"}
    types = {t for name, t in schema.USAGE_COLUMNS.items() if name != "site"}
    assert types == {"int64", "Int64"}


def test_only_what_may_be_unknown_is_nullable() -> None:
    nullable = {name for name, kind in schema.USAGE_COLUMNS.items() if kind == "Int64"}
    figures = {"peak_clients", "rx_bytes", "tx_bytes"}
    who_is_there = {"sessions", "passers_by", "device_days", "randomised_device_days"}
    assert nullable == figures | who_is_there == set(schema.AP_USAGE.nullable)


def test_no_tag_is_something_that_visitors_or_time_can_multiply() -> None:
    assert set(schema.SAMPLE_TAGS) == {"site", "ap"}
    assert set(schema.USAGE_TAGS) == {"site", "kind", "commune"}
    assert set(schema.AP_USAGE_TAGS) == {"site", "ap", "kind", "commune"}
    assert not {*schema.SAMPLE_TAGS, *schema.AP_USAGE_TAGS} & {
        *schema.SAMPLE_FIELDS,
        *schema.USAGE_FIELDS,
    }


def test_series_are_bounded_by_the_files_of_the_deployment() -> None:
    assert schema.series_count(aps=4_000, sites=1_000) == 15_000


def test_an_access_point_has_the_columns_of_a_site_but_the_number_of_access_points() -> None:
    of_ap = {name: kind for name, kind in schema.AP_USAGE_COLUMNS.items() if name != "ap"}
    assert of_ap == {name: kind for name, kind in schema.USAGE_COLUMNS.items() if name != "aps"}


@pytest.mark.parametrize(
    ("measurement", "tags_and_fields"),
    [
        (schema.SAMPLE_MEASUREMENT, (*schema.SAMPLE_TAGS, *schema.SAMPLE_FIELDS)),
        *(
            (measurement, (*table.tags, *table.fields))
            for table in (schema.SITE_USAGE, schema.AP_USAGE)
            for measurement in table.measurements.values()
        ),
    ],
)
def test_the_readme_names_every_tag_and_field(
    measurement: str, tags_and_fields: tuple[str, ...]
) -> None:
    assert documented(measurement) == set(tags_and_fields)
