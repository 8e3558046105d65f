"""The README's example queries, as they stand there, on a real InfluxDB."""

import re
from pathlib import Path

import pandas as pd

from collectors.reading import Reading
from pipeline.store.influx.store import InfluxStore
from pipeline.store.schema import AP_USAGE_COLUMNS, USAGE_COLUMNS
from tests.integration.influx.conftest import City

README = Path(__file__).parents[3] / "README.md"
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def queries() -> list[str]:
    """The statements of the README's one block of SQL."""
    (block,) = re.findall(r"```sql\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    statements = [" ".join(s.split()) for s in re.split(r"^--.*$", block, flags=re.MULTILINE)]
    return [statement for statement in statements if statement]


def ask(city: City, statement: str) -> dict[str, list[list[float]]]:
    bucket = city.raw if 'FROM "sample"' in statement else city.usage
    server = city.server()
    answer = {
        next(iter(rows.tags.values()), ""): [row[1:] for row in rows.values]
        for rows in server.query(bucket, statement)
    }
    server.close()
    return answer


def day_of_usage(start_ms: int) -> pd.DataFrame:
    """Three user-hours in a day half covered, up for 9 of its 12 hours known."""
    row = dict.fromkeys(USAGE_COLUMNS, 0) | {
        "start_ms": start_ms,
        "end_ms": start_ms + DAY_MS,
        "expected_ms": DAY_MS,
        "covered_ms": DAY_MS // 2,
        "up_ms": 9 * HOUR_MS,
        "down_ms": 3 * HOUR_MS,
        "user_ms": 3 * HOUR_MS,
    }
    frame = pd.DataFrame([row | {"site": "bib-centrale"}])
    return frame.astype(USAGE_COLUMNS)


def day_of_ap(ap: str, start_ms: int, sessions: int | None = 4) -> pd.DataFrame:
    """Three user-hours and six hours down in a day."""
    row: dict[str, object] = dict.fromkeys(AP_USAGE_COLUMNS, 0)
    row |= {"site": "bib-centrale", "ap": ap, "start_ms": start_ms, "end_ms": start_ms + DAY_MS}
    row |= {"user_ms": 3 * HOUR_MS, "down_ms": 6 * HOUR_MS, "sessions": sessions}
    return pd.DataFrame([row]).astype(AP_USAGE_COLUMNS)


def test_they_answer_what_their_comments_say(city: City) -> None:
    city.site_tags = {"bib-centrale": ("library", "Havremont")}
    per_ap, per_library, per_commune, per_ap_of_usage = queries()
    now_ms = round(pd.Timestamp.now(tz="UTC").timestamp() * 1000)
    store: InfluxStore = city.store()
    store.write_samples(
        [Reading(ap, "bib-centrale", now_ms - 60_000, clients=n) for ap, n in (("a", 4), ("b", 7))]
    )
    store.forwarder.drain()
    in_the_quarter = round(pd.Timestamp("2026-08-01", tz="UTC").timestamp() * 1000)
    yesterday = now_ms - now_ms % DAY_MS - DAY_MS
    for start_ms in (in_the_quarter, yesterday):
        store.write_usage("day", day_of_usage(start_ms))
    before = yesterday - DAY_MS
    store.write_ap_usage("day", pd.concat([day_of_ap("a", yesterday), day_of_ap("a", before)]))
    store.write_ap_usage("day", day_of_ap("b", yesterday, sessions=None))
    store.close()

    assert ask(city, per_ap) == {"a": [[4]], "b": [[7]]}
    days = [row for row in ask(city, per_library)["bib-centrale"] if row[0] is not None]
    assert days == [[3, 0.5]]
    assert ask(city, per_commune) == {"": [[0.75]]}
    assert ask(city, per_ap_of_usage) == {"a": [[6, 8, 12]], "b": [[3, None, 6]]}
