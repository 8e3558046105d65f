"""`spotwatch simulate`: a city with known answers, as files to try the judgement on."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cli.options import JsonOption, out, print_json, refuse
from collectors.fleet.trial.draw import MAX_WEEKS, MIN_SITES, MIN_WEEKS, draw_city
from collectors.fleet.trial.files import Format, write_deployment, write_samples, write_truth
from collectors.fleet.trial.polls import polls
from collectors.fleet.trial.truth import truths
from config.loader import load

DEFAULT_SITES: Final = 120
DEFAULT_WEEKS: Final = 14
"""The 13 that are judged, and one before them."""
MAX_SITES: Final = 2000

SitesOption = Annotated[
    int, typer.Option(min=MIN_SITES, max=MAX_SITES, help="How many sites the city has.")
]
WeeksOption = Annotated[
    int, typer.Option(min=MIN_WEEKS, max=MAX_WEEKS, help="For how long it is watched.")
]
OutOption = Annotated[Path, typer.Option("--out", help="A new folder, or an empty one.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Another seed, another city.")]
FormatOption = Annotated[Format, typer.Option("--format", help="Of the samples.")]


def simulate(
    folder: OutOption,
    seed: SeedOption = 1,
    sites: SitesOption = DEFAULT_SITES,
    weeks: WeeksOption = DEFAULT_WEEKS,
    kind: FormatOption = "parquet",
    *,
    as_json: JsonOption = False,
) -> None:
    """Make up a city whose right verdicts are known: a deployment, its samples, truth.csv.

    The same seed makes the same files. `spotwatch score` does the rest without files.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refuse(f"--out: {folder} holds something; choose a new folder or an empty one")
    folder.mkdir(parents=True, exist_ok=True)
    city = draw_city(seed, sites, weeks)
    write_deployment(city, folder)
    answers = truths(city, load(folder).settings.underuse)
    write_truth(answers, folder / "truth.csv")
    samples = folder / f"samples.{kind}"
    rows = write_samples(polls(city), samples, kind)
    as_of = city.season.monday.isoformat()
    if as_json:
        print_json({"folder": str(folder), "samples": str(samples), "rows": rows, "as_of": as_of})
        return
    out.print(
        f"{len(city.places)} sites, {rows} samples, and the right verdicts in "
        f"{folder / 'truth.csv'}. Now:\n"
        f"  spotwatch import {samples} --config {folder}\n"
        f"  spotwatch underused --as-of {as_of} --config {folder}",
        soft_wrap=True,
        highlight=False,
    )
