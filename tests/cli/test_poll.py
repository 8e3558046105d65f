"""`spotwatch poll`, run as a user runs it, against devices on loopback."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.poll import poll
from collectors.fleet.agent import Agent
from collectors.fleet.snmprec import load

RECORDINGS = Path(__file__).parents[1] / "recordings"

app = typer.Typer()
app.command("poll")(poll)
run = CliRunner()


@contextmanager
def device(recording: str, host: str = "127.0.0.1") -> Iterator[int]:
    """A recorded device, answering from a thread of its own; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    agent = Agent({"public": load(RECORDINGS / f"{recording}.snmprec")}, host=host)

    async def stop() -> None:
        agent.close()
        await asyncio.sleep(0)

    try:
        asyncio.run_coroutine_threadsafe(agent.start(), loop).result(5)
        yield agent.port
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def unifi() -> Iterator[int]:
    with device("unifi") as port:
        yield port


@pytest.fixture
def cisco() -> Iterator[int]:
    with device("cisco-airespace") as port:
        yield port


@pytest.fixture
def folder(tmp_path: Path, unifi: int, cisco: int) -> Path:
    (tmp_path / "community.txt").write_text("public\n")
    (tmp_path / "spotwatch.yaml").write_text(
        "city: Testville\ntimezone: Europe/Brussels\nsnmp:\n  timeout_s: 0.3\n  retries: 0\n"
        "  credentials:\n    default:\n      community: file:community.txt\n"
    )
    (tmp_path / "sites.csv").write_text("site,kind\nlib,library\npark,park\nempty,park\n")
    (tmp_path / "access_points.csv").write_text(
        "ap,site,source,host,port,controller\n"
        f"lib-1,lib,snmp,127.0.0.1,{unifi},\n"
        "library-1,lib,snmp,,,wlc\n"
        "library-2,park,snmp,,,wlc\n"
        "lost,park,snmp,,,wlc\n"
        "pushed,empty,mqtt,,,\n"
    )
    (tmp_path / "controllers.csv").write_text(f"controller,host,port\nwlc,127.0.0.1,{cisco}\n")
    return tmp_path


def test_a_host_is_polled_without_a_deployment(unifi: int) -> None:
    result = run.invoke(app, ["--host", f"127.0.0.1:{unifi}", "--community", "public", "--json"])
    assert result.exit_code == 0
    known = json.loads((RECORDINGS / "unifi.expected.json").read_text())
    assert json.loads(result.stdout) == known
    assert result.stderr == ""


def test_v1_and_a_given_profile(unifi: int) -> None:
    result = run.invoke(
        app,
        ["--host", f"127.0.0.1:{unifi}", "--community", "public", "--json", "--version", "1",
         "--profile", "generic"],
    )  # fmt: skip
    document = json.loads(result.stdout)
    assert (document["profile"], document["clients_total"]) == ("generic", None)


def test_ipv6() -> None:
    try:
        with device("unifi", host="::1") as port:
            result = run.invoke(app, ["--host", f"[::1]:{port}", "--community", "public", "--json"])
    except OSError:
        pytest.skip("no IPv6 loopback on this machine")
    assert json.loads(result.stdout)["clients_total"] == 14


def test_the_table_shows_what_the_device_says(unifi: int) -> None:
    result = run.invoke(
        app, ["--host", f"127.0.0.1:{unifi}", "--community", "public"], env={"COLUMNS": "200"}
    )
    assert result.exit_code == 0
    assert "Linux 4.4.198" in result.stdout
    assert "profile unifi; clients in all: 14; APs connected: 1" in result.stdout
    assert "6 GHz" not in result.stdout


def test_no_answer_says_whom_was_asked_and_what_to_check() -> None:
    result = run.invoke(
        app,
        ["--host", "127.0.0.1:1", "--community", "secret-word", "--timeout", "0.05", "--retries",
         "1", "--json"],
    )  # fmt: skip
    assert result.exit_code == 1
    assert result.stderr.startswith("127.0.0.1:1: GET of ")
    assert "no answer within 0.05 s, asked 2 times. Check that it is switched on" in result.stderr
    assert "secret-word" not in result.output
    document = json.loads(result.stdout)
    assert (document["device_up"], document["clients_total"], document["aps"]) == (False, None, [])


def test_an_unknown_profile_lists_the_known_ones(unifi: int) -> None:
    result = run.invoke(
        app, ["--host", f"127.0.0.1:{unifi}", "--community", "public", "--profile", "nope"]
    )
    assert result.exit_code == 2
    assert result.stderr.startswith("--profile: 'nope' is no profile; allowed: auto, aerohive,")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", ":161", "[::1", "[::1]161", ""]
)
def test_a_bad_host_is_refused(host: str) -> None:
    result = run.invoke(app, ["--host", host, "--community", "public"])
    assert result.exit_code == 2
    assert result.stderr.startswith("--host: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either"),
        (["lib", "--host", "127.0.0.1", "--community", "public"], "give either"),
        (["--host", "127.0.0.1"], "--community: missing"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], message: str) -> None:
    result = run.invoke(app, arguments, env={"SPOTWATCH_COMMUNITY": ""})
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_ap_of_the_deployment(folder: Path) -> None:
    result = run.invoke(app, ["lib-1", "--config", str(folder), "--json"])
    document = json.loads(result.stdout)
    assert [(ap["ap"], ap["clients"]) for ap in document["aps"]] == [("lib-1", 14)]


@pytest.mark.parametrize("where", ["library-2", "park/library-2"])
def test_an_ap_behind_a_controller_is_shown_as_the_controller_says(
    folder: Path, where: str
) -> None:
    result = run.invoke(app, [where, "--config", str(folder), "--json"])
    document = json.loads(result.stdout)
    assert document["profile"] == "cisco-airespace"
    assert [(ap["ap"], ap["up"]) for ap in document["aps"]] == [("library-2", False)]


def test_an_ap_that_its_controller_does_not_list_is_told(folder: Path) -> None:
    result = run.invoke(app, ["lost", "--config", str(folder), "--json"])
    assert json.loads(result.stdout)["aps"] == []
    assert "lost: controller wlc (127.0.0.1:" in result.stderr


def test_a_controller(folder: Path) -> None:
    result = run.invoke(app, ["wlc", "--config", str(folder), "--json"])
    assert {ap["ap"] for ap in json.loads(result.stdout)["aps"]} == {"library-1", "library-2"}


def test_a_site_is_all_of_its_devices(folder: Path) -> None:
    result = run.invoke(app, ["lib", "--config", str(folder), "--json"])
    documents = json.loads(result.stdout)
    assert {ap["ap"]: ap["clients"] for document in documents for ap in document["aps"]} == {
        "lib-1": 14,
        "library-1": 13,
    }


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("lib-9", "has this id; did you mean 'lib-1'?"),
        ("park/lib-1", "has this id"),
        ("pushed", "pushed: is not polled; its source in access_points.csv is mqtt"),
        ("empty", "empty: no AP of this site is polled over SNMP"),
    ],
)
def test_what_cannot_be_polled_is_refused(folder: Path, where: str, message: str) -> None:
    result = run.invoke(app, [where, "--config", str(folder)])
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_broken_profile_of_ones_own_is_told_by_line(folder: Path) -> None:
    (folder / "profiles").mkdir()
    (folder / "profiles" / "mine.yaml").write_text("title: x\ndevice: ap\nvendor: y\n")
    result = run.invoke(app, ["lib-1", "--config", str(folder)])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"{folder}/profiles/mine.yaml:3: vendor: unknown key"


def test_a_row_that_names_an_unknown_profile_is_told_by_line(folder: Path) -> None:
    table = (folder / "controllers.csv").read_text().replace(",port", ",port,profile")
    (folder / "controllers.csv").write_text(table.rstrip() + ",cisco\n")
    result = run.invoke(app, ["wlc", "--config", str(folder)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{folder}/controllers.csv:2: profile: ")


def test_json_is_alone_on_standard_output(unifi: int) -> None:
    """Through a real process, with nothing configured."""
    command = "import typer; from cli.poll import poll; typer.run(poll)"
    done = subprocess.run(
        [sys.executable, "-c", command, "--host", f"127.0.0.1:{unifi}", "--community", "public",
         "--json"],
        capture_output=True, text=True, check=True, timeout=30,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert json.loads(done.stdout)["profile"] == "unifi"
    assert done.stderr == ""


def test_the_table_says_how_many_devices_the_client_table_has(cisco: int) -> None:
    done = run.invoke(app, ["--host", f"127.0.0.1:{cisco}", "--community", "public"])
    said = " ".join(done.stdout.split())
    assert "devices in its client table: 3, 1 of them at no AP listed here" in said
