"""A small town, and outages in it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from config.deployment import AccessPoint, Deployment, Site
from config.settings import Alerts, Settings
from pipeline.outages.incident import Cause, Incident, Scope, Spell, incident_id

MINUTE = 60_000
HOUR = 60 * MINUTE
THURSDAY = round(datetime(2026, 3, 5, 9, 4, tzinfo=UTC).timestamp() * 1000)
"""10:04 in Brussels."""
SITES = (
    Site(site="bib", kind="library", commune="Havremont", name_fr="Bibliothèque centrale",
         name_nl="Centrale bibliotheek", opening_hours="Mo-Fr 09:00-17:00"),
    Site(site="parc", kind="park", commune="Lindeveld", name_fr="Parc du Lavoir"),
    Site(site="tour", kind="social_housing", commune="Havremont", name_fr="Les Tours du Verger"),
)  # fmt: skip
APS = (
    AccessPoint(ap="bib-1", site="bib", source="snmp", host="192.0.2.1", controller="wlc"),
    AccessPoint(ap="bib-2", site="bib", source="snmp", host="192.0.2.2", controller="wlc"),
    AccessPoint(ap="bib-3", site="bib", source="snmp", host="192.0.2.3", controller="wlc"),
    AccessPoint(ap="parc-1", site="parc", source="mqtt", parent="switch-9"),
    AccessPoint(ap="tour-1", site="tour", source="snmp", host="192.0.2.4", parent="switch-9"),
    AccessPoint(ap="tour-2", site="tour", source="snmp", host="192.0.2.5", parent="switch-9"),
)


def town(folder: Path = Path(), alerts: Alerts | None = None) -> Deployment:
    """With these settings of alerts; without any nobody is told."""
    return Deployment(
        folder=folder,
        settings=Settings(city="Havremont", timezone="Europe/Brussels", alerts=alerts or Alerts()),
        sites={site.site: site for site in SITES},
        access_points={ap.ap: ap for ap in APS},
    )


def incident(
    scope: Scope,
    subject: str,
    *,
    start_ms: int = THURSDAY,
    end_ms: int | None = None,
    cause: Cause = "no_answer",
    parent: str | None = None,
) -> Incident:
    """One that was confirmed after 6 minutes."""
    of_ap = {ap.ap: ap for ap in APS}.get(subject) if scope == "ap" else None
    confirmed_ms = start_ms + 6 * MINUTE
    return Incident(
        id=incident_id(scope, subject, start_ms),
        scope=scope,
        subject=subject,
        site=subject if scope == "site" else of_ap.site if of_ap else None,
        ap=of_ap.ap if of_ap else None,
        controller=subject if scope == "controller" else of_ap.controller if of_ap else None,
        start_ms=start_ms,
        end_ms=end_ms,
        confirmed_ms=confirmed_ms,
        cause=cause,
        parent=parent,
        spells=(Spell(start_ms, confirmed_ms, end_ms),),
    )


def ended(of: Incident, end_ms: int) -> Incident:
    """It came back."""
    spells = (*of.spells[:-1], of.spells[-1]._replace(end_ms=end_ms))
    return replace(of, end_ms=end_ms, spells=spells)


def relapsed(of: Incident, start_ms: int) -> Incident:
    """It went down again, as the same incident."""
    spells = (*of.spells, Spell(start_ms, start_ms + 6 * MINUTE, None))
    return replace(of, end_ms=None, spells=spells, flaps=of.flaps + 1)
