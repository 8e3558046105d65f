"""The stored schema, as data: what every store and every reader of InfluxDB relies on."""

import re
from pathlib import Path

import pytest

from collectors.reading import Reading
from pipeline.store import schema

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def documented(measurement: str) -> set[str]:
    """The tags and fields that the README's row of a measurement names."""
    (row,) = re.findall(rf"^\| (?:`\w+`, )*`{measurement}`.*$", README, re.MULTILINE)
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
    assert nullable == {"peak_clients", "rx_bytes", "tx_bytes"}


def test_no_tag_is_something_that_visitors_or_time_can_multiply() -> None:
    assert set(schema.SAMPLE_TAGS) == {"site", "ap"}
    assert set(schema.USAGE_TAGS) == {"site", "kind", "commune"}
    assert not {*schema.SAMPLE_TAGS, *schema.USAGE_TAGS} & {
        *schema.SAMPLE_FIELDS,
        *schema.USAGE_FIELDS,
    }


def test_series_are_bounded_by_the_files_of_the_deployment() -> None:
    assert schema.series_count(aps=4_000, sites=1_000) == 7_000


@pytest.mark.parametrize("measurement", [schema.SAMPLE_MEASUREMENT, "usage_day"])
def test_the_readme_names_every_tag_and_field(measurement: str) -> None:
    if measurement == schema.SAMPLE_MEASUREMENT:
        expected = {*schema.SAMPLE_TAGS, *schema.SAMPLE_FIELDS}
    else:
        assert measurement in schema.USAGE_MEASUREMENTS.values()
        expected = {*schema.USAGE_TAGS, *schema.USAGE_FIELDS}
    assert documented(measurement) == expected
