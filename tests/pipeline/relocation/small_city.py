"""A small city, open around the clock: what is used there in a day is 24 times its users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from config.deployment import AccessPoint, CandidatePlace, Deployment, Site
from config.settings import Settings
from pipeline.relocation.proposals import Plan, propose
from pipeline.state import Move
from pipeline.store.schema import USAGE_COLUMNS
from pipeline.underuse.assess import Assessment, assess, worst_first
from pipeline.underuse.evidence import Evidence, gather
from pipeline.underuse.judgement import Judgement
from pipeline.underuse.surplus import Surplus
from pipeline.underuse.weeks import usage_span
from tests.pipeline.memory_store import city

AS_OF: Final = datetime(2026, 7, 1, 12, tzinfo=UTC)
QUARTER: Final = 900_000
EQUATOR_DEGREE_M: Final = 111_195
USERS: Final[Mapping[str, float]] = {
    "lib0": 1,
    "lib1": 1.5,
    "lib2": 2,
    "senior0": 0.5,
    **{f"lib{i}": 12 for i in range(3, 12)},
    **{f"senior{i}": 6 for i in range(1, 7)},
    **{f"housing{i}": 15 + 2 * i for i in range(6)},
}
IDLE: Final = ("lib0", "lib1", "lib2", "senior0")
TARGET: Final = {"lib": 0.4, "senior": 0.9, "housing": 1.0}
KINDS: Final = {"lib": "library", "senior": "senior_centre", "housing": "social_housing"}


def km_east(kilometres: float) -> dict[str, float]:
    """A position on the equator."""
    return {"lat": 0.0, "lon": kilometres * 1000 / EQUATOR_DEGREE_M}


def place(name: str = "clos", **cells: Any) -> CandidatePlace:
    """A place fit for a spot, far from every site, but for the cells given."""
    fit = {"kind": "social_housing", "target_public": 0.9, "ready": True, "cost_eur": 1000.0}
    return CandidatePlace.model_validate({"place": name, **fit, **km_east(100), **cells})


def used(sites: Mapping[str, float], since_week: int = 0) -> pd.DataFrame:
    """Usage of one AP a site over the 13 weeks, with the ups and downs of weeks."""
    start, end = usage_span(city([Site(site="s", kind="park")], [], timezone="UTC"), AS_OF)
    starts = np.arange(start, end, QUARTER)
    week = (starts - start) // (672 * QUARTER)
    frames = []
    for site, users in sites.items():
        data: dict[str, Any] = dict.fromkeys(USAGE_COLUMNS, 0)
        data |= {"site": site, "start_ms": starts, "end_ms": starts + QUARTER, "aps": 1}
        for name in ("expected_ms", "covered_ms", "up_ms", "clients_ms"):
            data[name] = np.where(week >= since_week, QUARTER, 0)
        wobble = 0.96 + 0.02 * (week % 5)
        data["user_ms"] = (users * wobble * QUARTER * (week >= since_week)).astype(np.int64)
        frames.append(pd.DataFrame(data))
    return pd.concat(frames, ignore_index=True).astype(USAGE_COLUMNS)


@dataclass(frozen=True)
class SmallCity:
    """The city with its assessments, which candidate places and settings do not change."""

    deployment: Deployment
    assessments: Sequence[Assessment]
    evidence: Mapping[str, Evidence]
    surplus: tuple[Surplus, ...] = ()

    def sites(self, **changed: Mapping[str, Any]) -> "SmallCity":
        """With other cells in sites.csv."""
        sites = dict(self.deployment.sites)
        for site, cells in changed.items():
            sites[site] = sites[site].model_copy(update=cells)
        return replace(self, deployment=self.deployment.model_copy(update={"sites": sites}))

    def plan(
        self,
        *places: CandidatePlace,
        moves: Sequence[Move] = (),
        budget: float | None = None,
        include_unready: bool = False,
        **rule: Any,
    ) -> Plan:
        settings = Settings(city="Testville", timezone="UTC", relocation=rule)
        deployment = self.deployment.model_copy(
            update={"candidate_places": {p.place: p for p in places}, "settings": settings}
        )
        return propose(
            deployment,
            Judgement(tuple(self.assessments), self.surplus, self.evidence),
            moves,
            AS_OF,
            budget_eur=budget,
            include_unready=include_unready,
        )


@cache
def small_city() -> SmallCity:
    """Sites a kilometre apart, in the order of USERS."""
    sites = []
    for number, site in enumerate(USERS):
        family = site.rstrip("0123456789")
        cells = {"site": site, "kind": KINDS[family], "target_public": TARGET[family]}
        sites.append(Site.model_validate(cells | {"opening_hours": "24/7"} | km_east(number)))
    aps = [AccessPoint(ap=f"{s}-ap", site=s, source="import") for s in USERS]
    deployment = city(sites, aps, timezone="UTC")
    usage = used(USERS)
    evidence = gather(deployment, usage, AS_OF)
    assessments = worst_first(assess(deployment, evidence, AS_OF).values())
    return SmallCity(deployment, assessments, evidence)
