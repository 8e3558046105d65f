"""`recompute` on a Dask cluster, as it is typed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from distributed import LocalCluster
from typer.testing import CliRunner, Result

import cli.recompute
from cli.app import app
from cli.stores import opened
from config.loader import load
from pipeline.cluster import computer
from tests.pipeline.cluster.two_workers import two_workers
from tests.pipeline.cluster.week import END, deployment, samples
from tests.pipeline.stored_usage import assert_same_usage, stored_usage

Run = Callable[..., Result]
SPAN = ("--from", "2026-10-22", "--to", "2026-10-30")
INFLUXDB = "store: {kind: influxdb, url: 'http://127.0.0.1:9', org: city, token: '${TOKEN}'}\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with two_workers() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOKEN", "the-token")
    city = deployment()
    (tmp_path / "spotwatch.yaml").write_text("city: Testville\ntimezone: Europe/Brussels\n")
    rows = [f"{s.site},{s.kind},{s.timezone or ''}" for s in city.sites.values()]
    (tmp_path / "sites.csv").write_text("\n".join(["site,kind,timezone", *rows]))
    rows = [f"{ap.ap},{ap.site},import,900" for ap in city.access_points.values()]
    (tmp_path / "access_points.csv").write_text("\n".join(["ap,site,source,poll_seconds", *rows]))
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["recompute", *arguments, "--config", str(folder)])

    return run


def test_a_cluster_writes_what_this_machine_writes(
    run: Run, folder: Path, tmp_path: Path, cluster: LocalCluster
) -> None:
    with opened(load(folder)) as (store, state):
        store.write_samples(list(samples()))
        state.set_closed_until_ms(END)
        assert run(*SPAN, "--json").exit_code == 0
        local = stored_usage(store)
    (folder / "spotwatch.db").unlink()
    with opened(load(folder)) as (store, _):
        store.write_samples(list(samples()))
        shared = tmp_path / "shared"
        dask = ("--dask", cluster.scheduler_address, "--partitions", str(shared))
        result = run(*SPAN, *dask, "--json")
        assert result.exit_code == 0, result.output
        assert orjson.loads(result.stdout)["windows"] == len(local["15min"])
        assert_same_usage(stored_usage(store), local)
        assert list(shared.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "arguments", "told"),
    [
        ("", ["--partitions", "/tmp"], "with --dask only"),
        (INFLUXDB, ["--dask", "tcp://10.0.0.5:1", "--partitions", "/tmp"], "of no use with Influx"),
    ],
)
def test_what_does_not_go_together_is_refused(
    run: Run, folder: Path, settings: str, arguments: list[str], told: str
) -> None:
    with (folder / "spotwatch.yaml").open("a") as file:
        file.write(settings)
    result = run(*SPAN, *arguments)
    assert (result.exit_code, told in result.output) == (2, True)


def test_without_dask_it_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.recompute, "find_spec", lambda _: None)
    result = run(*SPAN, "--dask", "tcp://127.0.0.1:9")
    assert (result.exit_code, "pip install 'spotwatch[dask]'" in result.output) == (2, True)


def test_a_cluster_that_is_away_is_one_message(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computer, "CONNECT_S", 0.3)
    result = run(*SPAN, "--dask", "tcp://127.0.0.1:9")
    assert result.exit_code == 1
    assert result.output.startswith("tcp://127.0.0.1:9: no Dask scheduler answers there")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("address", "warned"),
    [("tcp://10.255.0.1:9", True), ("tls://10.255.0.1:9", False), ("tcp://127.0.0.1:9", False)],
)
def test_a_token_that_others_could_read_on_the_way_is_warned_of(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, address: str, *, warned: bool
) -> None:
    monkeypatch.setattr(computer, "CONNECT_S", 0.1)
    with (folder / "spotwatch.yaml").open("a") as file:
        file.write(INFLUXDB)
    result = run(*SPAN, "--dask", address)
    assert (result.exit_code, "unencrypted" in result.output) == (1, warned)
    assert "the-token" not in result.output
