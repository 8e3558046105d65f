"""The hours that people keep are those that the files say, read by another hand."""

from pathlib import Path

import numpy as np
import pytest

from collectors.fleet.clock import QUARTER_MS
from collectors.fleet.trial.season import ZONE, Season, draw_season
from collectors.fleet.trial.timetable import FOUR_HOURS, USUAL, Spell, Timetable
from config.deployment import Deployment, Site
from config.settings import Settings
from pipeline.open_hours import open_hours

EVERY = sorted({t for tables in USUAL.values() for t in tables} | set(FOUR_HOURS), key=repr)
EASTER_SUNDAYS = {"2024-03-31", "2025-04-20"}
"""A public holiday to some and a Sunday to others."""


def test_as_people_write_it() -> None:
    table = Timetable((Spell(("Mo", "Tu", "We"), 9, 17), Spell(("Th", "Sa"), 14, 18)))
    assert table.text == "Mo-We 09:00-17:00; Th,Sa 14:00-18:00; PH off"
    assert Timetable().text is None


@pytest.mark.parametrize("seed", range(4))
def test_opening_hours_as_written_are_those_kept(seed: int) -> None:
    season: Season = draw_season(np.random.default_rng(seed), 14)
    sites = {
        str(i): Site(site=str(i), kind="park", opening_hours=t.text) for i, t in enumerate(EVERY)
    }
    deployment = Deployment(
        folder=Path(),
        settings=Settings(city="Testville", timezone=ZONE.key, country="BE"),
        sites=sites,
        access_points={},
    )
    written = open_hours(deployment, season.start_ms, season.end_ms)
    easter = np.array([season.day_at(d).isoformat() in EASTER_SUNDAYS for d in season.day.tolist()])
    for i, table in enumerate(EVERY):
        ms = written[str(i)].within(season.ts_ms, season.ts_ms + QUARTER_MS)
        kept = table.open_in(season)
        assert ((ms == QUARTER_MS) == kept)[~easter].all(), table.text
        assert kept.any()


def test_four_hours_a_week_are_four_hours() -> None:
    week = np.arange(7 * 96)
    for table in FOUR_HOURS:
        assert table.usually_open(week // 96, week % 96 / 4).sum() == 16
