"""What is thought of every site and access point at a moment: the one way to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from config.deployment import Deployment
from pipeline.underuse.ap_evidence import ApReader
from pipeline.underuse.assess import Assessment
from pipeline.underuse.evidence import Evidence
from pipeline.underuse.replay import Replay
from pipeline.underuse.surplus import Surplus, surplus, with_surplus


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts that stand, and what they rest on."""

    assessments: tuple[Assessment, ...]
    """Worst first; those of sites with surplus access points name them."""
    surplus: tuple[Surplus, ...]
    """The idlest first."""
    evidence: Mapping[str, Evidence]


def judge(deployment: Deployment, weeks: Replay, read_aps: ApReader, as_of: datetime) -> Judgement:
    """Judge every site, and the access points of those that are `ok`.

    `weeks`: the assessments before the same moment.
    """
    standing, evidence = weeks.standing(), weeks.evidence()
    idle = surplus(deployment, standing, evidence, read_aps, as_of)
    return Judgement(with_surplus(standing, idle), tuple(idle), evidence)
