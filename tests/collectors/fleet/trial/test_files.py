"""A trial city as files: the same bytes for the same seed, and a deployment that loads."""

import csv
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from collectors.fleet.trial.draw import draw_city
from collectors.fleet.trial.files import (
    Format,
    write_deployment,
    write_samples,
    write_truth,
)
from collectors.fleet.trial.polls import polls
from collectors.fleet.trial.truth import truths
from config.loader import load
from config.settings import Underuse


def write(folder: Path, seed: int, kind: Format) -> dict[str, bytes]:
    folder.mkdir()
    city = draw_city(seed, 12, 10)
    write_deployment(city, folder)
    write_samples(polls(city), folder / f"samples.{kind}", kind)
    write_truth(truths(city, Underuse()), folder / "truth.csv")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_same_seed_makes_the_same_bytes(tmp_path: Path, kind: Format) -> None:
    once = write(tmp_path / "once", 3, kind)
    again = write(tmp_path / "again", 3, kind)
    other = write(tmp_path / "other", 4, kind)
    assert once == again
    for name in ("sites.csv", "truth.csv", f"samples.{kind}"):
        assert once[name] != other[name]


def test_both_formats_say_the_same(tmp_path: Path) -> None:
    write(tmp_path / "csv", 3, "csv")
    write(tmp_path / "parquet", 3, "parquet")
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / "samples.parquet")
    types = {name: table.schema.field(name).type for name in table.column_names}
    options = pyarrow.csv.ConvertOptions(column_types=types)
    text = pyarrow.csv.read_csv(tmp_path / "csv" / "samples.csv", convert_options=options)
    assert text.equals(table.cast(text.schema))
    down = table.filter(pyarrow.compute.equal(table["up"], 0))
    assert down["clients"].null_count == down.num_rows > 0


def test_the_deployment_says_what_people_know_and_no_more(tmp_path: Path) -> None:
    seed = next(
        seed
        for seed in range(50)
        if {"closure", "no_hours"} <= {p.circumstance for p in draw_city(seed, 12, 10).places}
    )
    write(tmp_path / "city", seed, "csv")
    city = draw_city(seed, 12, 10)
    deployment = load(tmp_path / "city")
    assert list(deployment.sites) == [place.site for place in city.places]
    assert len(deployment.access_points) == sum(place.aps for place in city.places)
    for place in city.places:
        site = deployment.sites[place.site]
        assert site.kind == place.kind
        assert site.opening_hours == (place.timetable.text if place.hours_written else None)
    [closed] = [place for place in city.places if place.closed]
    [closure] = deployment.closures
    assert closed.closed
    assert closure.site == closed.site
    ends = (closure.start.timestamp() * 1000, closure.end.timestamp() * 1000)
    assert ends == tuple(city.season.day_ms(day) for day in closed.closed)
    with (tmp_path / "city" / "truth.csv").open(encoding="utf-8", newline="") as file:
        assert [row["site"] for row in csv.DictReader(file)] == list(deployment.sites)
