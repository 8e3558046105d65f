"""`spotwatch score`: how right verdicts, and alerts, are on cities with known answers."""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, TypeVar

import pandas as pd
import typer
from rich.progress import Progress

from cli import score_outages
from cli.judging import replay
from cli.options import JsonOption, err, out, print_json, refuse
from cli.simulate import DEFAULT_SITES, DEFAULT_WEEKS, SitesOption, WeeksOption
from collectors.fleet.trial.draw import TrialCity, draw_city
from collectors.fleet.trial.files import write_deployment
from collectors.fleet.trial.polls import POLL_SECONDS, polls
from collectors.fleet.trial.truth import truths
from config.deployment import Deployment
from config.loader import load
from dashboards.outage_scores import outage_tables
from dashboards.scores import score_tables
from pipeline.evaluation.memory import ApSamples, MemoryStore, by_column
from pipeline.evaluation.naive import lowest_totals, nobody_for_three_days, under_half_of_kind
from pipeline.evaluation.score import (
    FLAGGED,
    NEAR_LIMIT,
    Answer,
    Hits,
    Report,
    away_from_limit,
    by_circumstance,
    confusion,
    hits,
    hits_of,
    joined,
    share_right,
)
from pipeline.underuse.assess import WORST_FIRST, Assessment
from pipeline.underuse.weeks import usage_span

T = TypeVar("T")

MAX_CITIES: Final = 1000
_SEEDS: Final = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")

SeedsOption = Annotated[
    str, typer.Option(help="Seeds of the cities, such as 101-120 or 3,7,11-14.")
]
JobsOption = Annotated[
    int | None, typer.Option(min=1, help="Cities judged at a time. Default: one a processor.")
]
OutagesOption = Annotated[
    bool,
    typer.Option("--outages", help="Score alerts, in networks where everything goes wrong."),
]
LossOption = Annotated[
    str, typer.Option(help="With --outages: per cent of packets lost, such as 0,1,5,10,20.")
]


def score(
    seeds: SeedsOption = "101-120",
    sites: SitesOption = DEFAULT_SITES,
    weeks: WeeksOption = DEFAULT_WEEKS,
    jobs: JobsOption = None,
    loss: LossOption = "0,1,5,10,20",
    *,
    outages: OutagesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Judge made-up cities whose right verdicts are known, and count: beside rules of thumb.

    The cities are those of `spotwatch simulate`; their samples stay in memory. With `--outages` it
    is alerts that are counted, beside what really was down.
    """
    chosen = parse_seeds(seeds)
    workers = min(jobs or os.cpu_count() or 1, len(chosen))
    if outages:
        losses = score_outages.parse_losses(loss)
        alarms = partial(score_outages.trial, sites=sites, weeks=weeks, losses=losses)
        scores = score_outages.joined(_judged(alarms, chosen, workers))
        if as_json:
            print_json(score_outages.document(scores, chosen, sites, weeks))
            return
        for table in outage_tables(scores, networks=len(chosen), sites=sites, weeks=weeks):
            out.print(table)
        return
    report = joined(_judged(partial(trial, sites=sites, weeks=weeks), chosen, workers))
    if as_json:
        print_json(document(report, chosen, sites, weeks))
        return
    for table in score_tables(report, cities=len(chosen), sites=sites):
        out.print(table)


def _judged(work: Callable[[int], T], seeds: Sequence[int], workers: int) -> list[T]:
    """Do the work for every seed, several at a time."""
    with (
        # Spawned, so that no thread of the libraries is copied in the middle of something.
        ProcessPoolExecutor(workers, get_context("spawn")) as pool,
        Progress(console=err, transient=True, disable=not err.is_terminal) as bar,
    ):
        task = bar.add_task("Judging cities", total=len(seeds))
        tasks = [pool.submit(work, seed) for seed in seeds]
        for _ in as_completed(tasks):
            bar.advance(task)
        return [task.result() for task in tasks]


@dataclass(frozen=True, slots=True)
class Judged:
    """A made-up city, judged."""

    deployment: Deployment
    usage: pd.DataFrame
    """By 15 minutes, of the weeks judged."""
    assessments: Sequence[Assessment]


def judged_in_memory(city: TrialCity) -> Judged:
    """Judge a city as `spotwatch import` and `spotwatch underused` would, without their files."""
    with TemporaryDirectory(prefix="spotwatch-") as folder:
        write_deployment(city, Path(folder))
        deployment = load(Path(folder))
    samples = [ApSamples(p.ap, p.site, p.ts_ms, p.up, p.clients) for p in polls(city)]
    store = MemoryStore(by_column(samples, POLL_SECONDS))
    closed_ms = store.aggregate(deployment)
    as_of = city.season.as_of
    usage = store.read_usage("15min", *usage_span(deployment, as_of))
    return Judged(deployment, usage, replay(deployment, store, closed_ms, as_of).standing())


def trial(seed: int, sites: int, weeks: int) -> Report:
    """Judge one city, and compare with the truth and with rules of thumb."""
    city = draw_city(seed, sites, weeks)
    judged = judged_in_memory(city)
    rule = judged.deployment.settings.underuse
    found = {a.site: a for a in judged.assessments}
    answers = [
        Answer(
            seed=seed,
            site=right.site,
            circumstance=right.circumstance,
            truth=right.verdict,
            verdict=found[right.site].verdict,
            true_ratio=right.ratio,
            ratio=found[right.site].ratio,
            low=found[right.site].ratio_low,
            high=found[right.site].ratio_high,
        )
        for right in truths(city, rule)
    ]
    underused = {a.site for a in answers if a.truth == FLAGGED}
    usage = judged.usage
    kinds = {site.site: site.kind for site in judged.deployment.sites.values()}
    flagged = {
        "spotwatch": {a.site for a in answers if a.verdict == FLAGGED},
        "under half of the kind's median total": under_half_of_kind(usage, kinds, rule.ratio),
        "lowest totals, as many as are underused": lowest_totals(usage, kinds, len(underused)),
        "nobody for three days": nobody_for_three_days(usage, kinds, city.season.end_ms),
    }
    return Report(answers, {name: hits(who, underused) for name, who in flagged.items()})


def parse_seeds(text: str) -> list[int]:
    """Read `101-120` or `3,7,11-14`, each seed once; leaves with exit code 2 for anything else."""
    found: dict[int, None] = {}
    for part in text.replace(" ", "").split(","):
        match = _SEEDS.fullmatch(part)
        first = int(match[1]) if match else 1
        last = int(match[2] or first) if match else 0
        if last < first or last - first >= MAX_CITIES:
            raise refuse(
                f"--seeds: {part!r} is not allowed; write numbers and spans such as 101-120 or "
                f"3,7,11-14, at most {MAX_CITIES} of them"
            )
        found |= dict.fromkeys(range(first, last + 1))
    return list(found)


def document(report: Report, seeds: Sequence[int], sites: int, weeks: int) -> dict[str, Any]:
    """The JSON of `score`."""
    counts = confusion(report.answers)
    clear = away_from_limit(report.answers)
    return {
        "seeds": list(seeds),
        "sites": sites,
        "weeks": weeks,
        "verdicts": len(report.answers),
        "right": share_right(report.answers),
        "rules": {rule: _of_hits(found) for rule, found in report.rules.items()},
        "away_from_limit": {
            "ratios_left_out": NEAR_LIMIT,
            "verdicts": len(clear),
            "right": share_right(clear),
            **_of_hits(hits_of(clear)),
        },
        "confusion": {
            truth: {verdict: counts[truth, verdict] for verdict in WORST_FIRST}
            for truth in WORST_FIRST
        },
        "circumstances": {
            name: {"sites": n, "right": right}
            for name, (n, right) in by_circumstance(report.answers).items()
        },
        "mistakes": [
            {
                "seed": a.seed,
                "site": a.site,
                "circumstance": a.circumstance,
                "truth": a.truth,
                "verdict": a.verdict,
                "true_ratio": a.true_ratio,
                "ratio": a.ratio,
                "ratio_low": a.low,
                "ratio_high": a.high,
            }
            for a in report.answers
            if not a.right
        ],
    }


def _of_hits(found: Hits) -> dict[str, float | None]:
    return {
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "found": found.found,
        "wrong": found.wrong,
        "missed": found.missed,
    }
