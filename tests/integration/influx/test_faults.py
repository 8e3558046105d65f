"""Bad days of InfluxDB: nothing is lost, nothing is counted twice."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.reading import Reading
from pipeline.spool.destination import UnavailableError
from pipeline.spool.forwarder import LONGEST_WAIT_S, MISCONFIGURED_WAIT_S
from pipeline.spool.spool import Spool
from pipeline.store.base import StoreError
from pipeline.store.influx.store import InfluxStore
from pipeline.store.influx.usage import UsageTable
from pipeline.store.schema import SITE_USAGE
from tests.integration.influx.conftest import TOKEN, City
from tests.integration.influx.influxd import INFLUXD, MISSING, Influxd
from tests.integration.influx.proxy import Fault, Proxy
from tests.integration.influx.rows import usage, usage_row

T = 1_790_000_000_000
EVER = (0, 2**50)
MINUTE_MS = 60_000
HANGS_S = 1.0
"""Without an answer for so long, a server hangs; a busy machine takes less for one."""

OpenStore = Callable[..., InfluxStore]


def a_round(ts_ms: int, aps: int = 5) -> list[Reading]:
    return [
        Reading(f"ap-{i}", "lib-1", ts_ms, up=1, clients=i, rx_bytes=ts_ms + i) for i in range(aps)
    ]


def stored(city: City) -> list[tuple[str, int, int]]:
    """What the real server holds, asked past proxy, client and store: ap, time, clients."""
    answer = json.loads(
        city.influxd.query('SELECT "ap", "clients" FROM "sample"', database=city.raw)
    )
    series = answer["results"][0].get("series", [])
    return sorted((ap, ts, clients) for s in series for ts, ap, clients in s["values"])


def expected(*rounds: list[Reading]) -> list[tuple[str, int, int | None]]:
    return sorted((r.ap, r.ts_ms, r.clients) for one in rounds for r in one)


def test_a_server_that_is_down_for_an_hour(city: City, store: InfluxStore) -> None:
    rounds = [a_round(T + minute * MINUTE_MS) for minute in range(62)]
    store.write_samples(rounds[0])
    store.forwarder.drain()
    city.proxy.stop()
    waits = []
    for one in rounds[1:61]:
        city.clock.ms += MINUTE_MS
        store.write_samples(one)
        waits.append(store.forwarder.step())
    assert max(waits) <= LONGEST_WAIT_S
    health = store.spool.health()
    assert (health.lines, health.age_s(city.clock.ms)) == (300, 59 * 60)
    assert "cannot be reached" in str(store.forwarder.trouble)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        store.read_samples(T + MINUTE_MS, T + 61 * MINUTE_MS)

    city.proxy.start()
    store.write_samples(rounds[61])
    # Windows are whole at once, not when the backlog has drained.
    assert store.read_samples(*EVER)["ts_ms"].value_counts().tolist() == [5] * 62
    store.forwarder.drain()
    assert stored(city) == expected(*rounds)
    assert store.forwarder.trouble is None


def test_a_long_backlog_does_not_hold_up_what_is_new(city: City, tmp_path: Path) -> None:
    server = city.server()
    store = InfluxStore(
        server,
        Spool(tmp_path / "s.db"),
        raw_bucket=city.raw,
        usage_bucket=city.usage,
        site_tags={},
    )
    store.forwarder._batch_lines = 10
    for i in range(20):
        store.write_samples(a_round(T + i))
    store.forwarder.step()
    store.forwarder.step()
    assert {ts for _, ts, _ in stored(city)} == {T, T + 1, T + 18, T + 19}
    store.forwarder.drain()
    assert stored(city) == expected(*(a_round(T + i) for i in range(20)))
    store.close()


@pytest.fixture
def own_city(tmp_path: Path) -> Iterator[City]:
    """A server of its own, that a test may kill."""
    if INFLUXD is None:
        pytest.skip(MISSING)
    influxd = Influxd(tmp_path / "influxd")
    influxd.start()
    proxy = Proxy(influxd.url, TOKEN)
    proxy.start()
    yield City(influxd, proxy, tmp_path)
    proxy.close()
    influxd.kill()


def test_a_server_killed_in_the_middle_of_a_batch(own_city: City) -> None:
    """The batch is stored, its answer never comes, the server dies and starts again."""
    store = own_city.store(timeout_s=HANGS_S)
    store.write_samples(a_round(T))
    own_city.proxy.faults.append(Fault(hang=True, after_writing=True))
    assert store.forwarder.step() > 0
    own_city.influxd.kill()
    store.write_samples(a_round(T + 1))
    assert store.forwarder.step() > 0
    assert store.spool.health().lines == 10
    own_city.influxd.start()
    store.forwarder.drain()
    assert stored(own_city) == expected(a_round(T), a_round(T + 1))
    store.close()


@pytest.mark.parametrize(
    ("fault", "least_wait_s"),
    [
        (Fault(429, {"Retry-After": "120"}), 120),
        (Fault(503, {"Retry-After": "90"}), 90),
        (Fault(503), 0.5),
        (Fault(500), 0.5),
        (Fault(reset=True), 0.5),
        (Fault(reset=True, after_writing=True), 0.5),
        (Fault(hang=True), 0.5),
        (Fault(hang=True, after_writing=True), 0.5),
    ],
    ids=str,
)
def test_a_passing_fault(
    fault: Fault, least_wait_s: float, city: City, open_store: OpenStore
) -> None:
    store = open_store(timeout_s=HANGS_S) if fault.hang else open_store()
    store.write_samples(a_round(T))
    city.proxy.faults.append(fault)
    assert store.forwarder.step() >= least_wait_s
    assert store.spool.health().lines == 5
    assert store.forwarder.trouble is not None
    assert store.forwarder.step() == 0
    assert stored(city) == expected(a_round(T))
    health = store.spool.health()
    assert (health.lines, health.bytes, health.rejected) == (0, 0, 0)
    assert store.forwarder.trouble is None


def test_one_wrong_line_is_set_aside_and_the_rest_is_written(
    city: City, store: InfluxStore
) -> None:
    city.proxy.refuse = b"ap=ap-3,"
    store.write_samples(a_round(T, aps=200))
    store.forwarder.drain()
    assert stored(city) == expected([r for r in a_round(T, aps=200) if r.ap != "ap-3"])
    (rejected,) = store.spool.rejected(10)
    assert (rejected.ap, rejected.ts_ms) == ("ap-3", T)
    assert "400: unable to parse" in rejected.reason
    assert len(city.proxy.writes) <= 1 + 2 * 8  # 2 log2(200)

    city.proxy.refuse = None
    assert store.spool.retry_rejected(city.clock.ms) == 1
    store.forwarder.drain()
    assert stored(city) == expected(a_round(T, aps=200))
    assert store.spool.health().rejected == 0


def test_a_field_that_the_server_holds_with_another_type(city: City, store: InfluxStore) -> None:
    """A real conflict of a real server: it keeps the good lines and answers with an error."""
    city.server().write(city.raw, [b"sample,ap=other,site=x uptime_s=1.5 1790000000000"])
    good, bad = Reading("a", "lib-1", T, clients=1), Reading("b", "lib-1", T, uptime_s=7)
    store.write_samples([good, bad])
    store.forwarder.drain()
    assert stored(city) == [("a", T, 1)]
    (rejected,) = store.spool.rejected(10)
    assert (rejected.ap, "field type conflict" in rejected.reason) == ("b", True)


def test_a_token_revoked_and_restored(
    city: City, store: InfluxStore, capsys: pytest.CaptureFixture[str]
) -> None:
    city.proxy.token = "another"
    store.write_samples(a_round(T))
    assert [store.forwarder.step() for _ in range(3)] == [MISCONFIGURED_WAIT_S] * 3
    assert "does not accept the token; check store.token" in str(store.forwarder.trouble)
    assert store.spool.health()[:1] == (5,)
    with pytest.raises(StoreError, match=r"check store\.token"):
        store.read_samples(T, T + 1)
    city.proxy.token = TOKEN
    assert store.forwarder.step() == 0
    assert stored(city) == expected(a_round(T))
    said = "".join(capsys.readouterr())
    assert said.count("check store.token") == 1  # said once, not at every attempt
    assert TOKEN not in said + str(store.__dict__) + repr(city.server().__dict__)


def test_a_bucket_that_is_missing_drops_nothing(city: City, open_store: OpenStore) -> None:
    city.influxd.query(f'DROP DATABASE "{city.raw}"')
    store = open_store()
    store.write_samples(a_round(T))
    assert store.forwarder.step() == MISCONFIGURED_WAIT_S
    with pytest.raises(StoreError, match="not found"):
        store.read_samples(T, T + 1)
    city.influxd.query(f'CREATE DATABASE "{city.raw}"')
    store.forwarder.drain()
    assert stored(city) == expected(a_round(T))


WRITER = """
import sys
from pathlib import Path
from collectors.reading import Reading
from pipeline.spool.spool import Spool, Waiting
from pipeline.store.influx.line_protocol import sample_line
spool = Spool(Path(sys.argv[1]))
for i in range(10**9):
    readings = [Reading(f"ap-{n}", "lib-1", 1_790_000_000_000 + i, clients=n) for n in range(50)]
    spool.append([Waiting(r.ap, r.site, r.ts_ms, sample_line(r)) for r in readings], 0)
    print(i, flush=True)  # only what was said to be durable counts
"""


def test_sigkill_of_the_writing_process_with_a_full_spool(
    city: City, open_store: OpenStore
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(city.folder / "spool.db")],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 100:
                break
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
    durable = int(rest[-1]) if rest else 100
    store = open_store()
    store.forwarder.drain()
    found = stored(city)
    rounds = {ts - T for _, ts, _ in found}
    # A round may have been made durable and its number not yet printed.
    assert rounds in ({*range(durable + 1)}, {*range(durable + 2)})
    assert found == sorted((f"ap-{n}", T + i, n) for i in rounds for n in range(50))


def test_usage_waits_for_a_busy_server_and_says_when_it_gives_up(city: City) -> None:
    rows = usage(usage_row("lib-1", T, aps=1))
    table = UsageTable(SITE_USAGE, city.server(), city.usage, {}, patience_s=5)
    city.proxy.faults.extend([Fault(503, {"Retry-After": "0"})] * 2)
    table.write("hour", rows)
    assert len(table.read("hour", T, T + 1)) == 1
    city.proxy.faults.append(Fault(429, {"Retry-After": "3600"}))
    with pytest.raises(UnavailableError, match="429"):
        table.write("hour", rows)
