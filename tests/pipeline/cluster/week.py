"""Eight days of a small city with all that makes cutting time up hard."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from collectors.reading import Reading
from config.deployment import AccessPoint, Deployment, Site, SitePeriod
from tests.pipeline.memory_store import city

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Thursday 22 October 2026, midnight in Brussels; summer time ends on the Sunday after.
START = int(datetime(2026, 10, 21, 22, tzinfo=UTC).timestamp() * 1000)
DAYS = 8
END = START + DAYS * DAY_MS
POLL_S = 900


def deployment() -> Deployment:
    """Libraries of one zone, a post of another; each has three access points."""
    sites = [Site(site=f"s{n}", kind="library") for n in range(4)]
    sites.append(Site(site="far", kind="park", timezone="Asia/Kolkata"))
    at = datetime.fromtimestamp(START / 1000 + 30 * 3600, UTC)
    return city(
        sites,
        [
            AccessPoint(ap=f"{site.site}-{n}", site=site.site, source="import", poll_seconds=POLL_S)
            for site in sites
            for n in range(3)
        ],
        maintenance=[SitePeriod(site="s0", start=at, end=at.replace(hour=23))],
    )


def samples() -> Iterator[Reading]:
    """Outages, gaps of a day, counters that wrap, an AP that moves, one in no file."""
    random = Random(11)
    homes = {ap.ap: ap.site for ap in deployment().access_points.values()} | {"stray": "s1"}
    for ap, home in homes.items():
        counter = random.randrange(2**32)
        silent = START + random.randrange(DAYS) * DAY_MS
        for ts_ms in range(START - DAY_MS, END, POLL_S * 1000):
            counter = (counter + random.randrange(10**9)) % 2**32
            if random.random() < 0.03 or silent <= ts_ms < silent + 20 * HOUR_MS:
                continue
            up = int(random.random() > 0.03)
            moved = ap == "s2-0" and ts_ms > START + 100 * HOUR_MS
            yield Reading(
                ap,
                "s3" if moved else home,
                ts_ms + random.randrange(60_000),
                up=up,
                clients=random.randrange(30) if up else None,
                rx_bytes=counter if up and random.random() < 0.9 else None,
                tx_bytes=2 * counter % 2**32 if up else None,
                counter_bits=32,
                channel_utilisation=random.random() if up else None,
                interval_s=POLL_S,
            )
