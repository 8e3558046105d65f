"""What an incident means for people: which sites it strikes, and how badly."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from config.deployment import Deployment
from config.settings import Severity
from pipeline.outages.incident import Incident


@dataclass(frozen=True, slots=True)
class Outage:
    """An incident with what it explains."""

    incident: Incident
    children: tuple[Incident, ...] = ()
    """What it explains, by start."""
    sites: tuple[str, ...] = ()
    """What it strikes, sorted; empty where our own poller is blind, which strikes all or none."""
    aps: tuple[str, ...] = ()
    severity: Severity = "critical"

    @property
    def is_blind(self) -> bool:
        """Whether it is our own poller that does not see."""
        return self.incident.scope == "poller"

    @property
    def is_unused(self) -> bool:
        """Whether it is no outage at all: a site is up, and nobody uses it."""
        return self.incident.cause == "nobody"


def outages(deployment: Deployment, incidents: Iterable[Incident]) -> Mapping[str, Outage]:
    """Every incident by its id, with those that name it as their parent.

    Of APs outside of the files, the site is what their incident says.
    """
    incidents = list(incidents)
    children: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        if incident.parent is not None:
            children[incident.parent].append(incident)
    at_site: dict[str, list[str]] = defaultdict(list)
    behind: dict[str, set[str]] = defaultdict(set)
    for ap in deployment.access_points.values():
        at_site[ap.site].append(ap.ap)
        for above in (ap.controller, ap.parent):
            if above is not None:
                behind[above].add(ap.ap)
    return {
        incident.id: _outage(deployment, incident, children[incident.id], at_site, behind)
        for incident in incidents
    }


def _outage(
    deployment: Deployment,
    incident: Incident,
    children: list[Incident],
    at_site: Mapping[str, Collection[str]],
    behind: Mapping[str, Collection[str]],
) -> Outage:
    known = deployment.access_points
    aps = {child.ap for child in children if child.ap}
    sites = {child.site for child in children if child.site}
    if incident.scope == "ap" and incident.ap:
        aps.add(incident.ap)
    elif incident.scope == "site" and incident.site:
        aps.update(at_site.get(incident.site, ()))
    elif incident.scope in ("controller", "uplink") and not aps:
        aps.update(behind.get(incident.subject, ()))
    if incident.site and incident.scope in ("ap", "site"):
        sites.add(incident.site)
    elif incident.scope != "site":
        sites.update(known[ap].site for ap in aps if ap in known)
    return Outage(
        incident=incident,
        children=tuple(sorted(children, key=lambda child: (child.start_ms, child.subject))),
        sites=tuple(sorted(sites)),
        aps=tuple(sorted(aps)),
        severity=_severity(incident, [len(at_site.get(site, ())) for site in sites]),
    )


def _severity(incident: Incident, aps_of_sites: Collection[int]) -> Severity:
    if incident.cause == "nobody":
        return "info"
    others_serve = any(count > 1 for count in aps_of_sites)
    return "warning" if incident.scope == "ap" and others_serve else "critical"
