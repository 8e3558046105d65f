"""Net-SNMP's own agent, polled: the one that half of all Linux access points run."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import orjson
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cli.app import app
from collectors.snmp.engine import SnmpEngine, SnmpError, Target, open_session
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.pysnmp_engine import PysnmpEngine
from config.settings import CommunityCredential, UserCredential

SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NET_SNMP_LINUX = "1.3.6.1.4.1.8072.3.2.10"
SYS_OBJECT_ID = "1.3.6.1.2.1.1.2.0"
IF_DESCR = "1.3.6.1.2.1.2.2.1.2"
AUTH, PRIV = "of twelve or more", "another one of them"

pytestmark = pytest.mark.skipif(SNMPD is None, reason="snmpd is not on the PATH")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where snmpd listens, with a community and a user of v3."""
    folder = tmp_path_factory.mktemp("snmpd")
    port = free_port()
    (folder / "snmpd.conf").write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity spotwatch 127.0.0.1\n"
        f'createUser aes SHA-256 "{AUTH}" AES "{PRIV}"\nrouser aes priv\n'
        f'createUser auth SHA-512 "{AUTH}"\nrouser auth auth\n',
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [str(SNMPD), "-f", "-Ln", "-C", "-c", folder / "snmpd.conf", "-p", folder / "pid"],
        env={**os.environ, "SNMP_PERSISTENT_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield port
    process.terminate()
    process.wait(10)


def poll(port: int, community: str = "spotwatch", *options: str) -> tuple[int, str, str]:
    host = ["--host", f"127.0.0.1:{port}", "--community", community]
    result = CliRunner().invoke(app, ["poll", *host, *options, "--json"])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module", autouse=True)
def _answers(port: int) -> None:
    deadline = time.monotonic() + 20
    while poll(port, "spotwatch", "--timeout", "0.2", "--retries", "0")[0] != 0:
        assert time.monotonic() < deadline, "snmpd does not answer"


def test_it_reads_as_a_generic_device_with_what_flows_and_no_clients(port: int) -> None:
    code, stdout, _ = poll(port)
    document = orjson.loads(stdout)
    assert code == 0
    assert document["profile"] == "generic"
    assert document["sys_object_id"] == NET_SNMP_LINUX
    assert document["device_up"] is True
    assert document["clients_total"] is None
    assert document["ap_count"] == 1
    assert document["aps"][0]["uptime_s"] is not None


def test_a_wrong_community_gets_no_answer_and_is_told_so(port: int) -> None:
    code, _, stderr = poll(port, "wrong", "--timeout", "0.2", "--retries", "0")
    assert code == 1
    assert f"127.0.0.1:{port}" in stderr
    assert "community" in stderr


def target(port: int, credential: CommunityCredential | UserCredential) -> Target:
    return Target("snmpd", "127.0.0.1", credential, port=port, timeout_s=1, retries=1)


def user(name: str, **keys: str) -> UserCredential:
    secrets = {key: SecretStr(value) for key, value in keys.items()}
    return UserCredential.model_validate(
        {"version": "3", "user": name, "auth_protocol": "sha512", **secrets}
        | ({"auth_protocol": "sha256"} if name == "aes" else {})
    )


@pytest.mark.parametrize("engine", [GufoEngine(), PysnmpEngine()], ids=["gufo", "pysnmp"])
@pytest.mark.parametrize("version", ["1", "2c"])
async def test_both_engines_walk_it_alike(engine: SnmpEngine, version: str, port: int) -> None:
    credential = CommunityCredential.model_validate(
        {"version": version, "community": SecretStr("spotwatch")}
    )
    async with open_session(engine, target(port, credential)) as session:
        found = await session.get([SYS_OBJECT_ID])
        names = [value for _, value in await session.walk(IF_DESCR)]
    assert found == {SYS_OBJECT_ID: NET_SNMP_LINUX}
    assert b"lo" in names


@pytest.mark.parametrize(
    "credential",
    [user("auth", auth_key=AUTH), user("aes", auth_key=AUTH, priv_key=PRIV)],
    ids=["authentication", "authentication and privacy"],
)
async def test_version_3_with_and_without_privacy(credential: UserCredential, port: int) -> None:
    async with open_session(GufoEngine(), target(port, credential)) as session:
        assert await session.get([SYS_OBJECT_ID]) == {SYS_OBJECT_ID: NET_SNMP_LINUX}
        assert await session.walk(IF_DESCR)


async def test_a_wrong_pass_phrase_is_an_error_that_names_the_device(port: int) -> None:
    wrong = user("aes", auth_key="not the right one", priv_key=PRIV)
    with pytest.raises(SnmpError, match=f"snmpd .127.0.0.1:{port}."):
        async with open_session(GufoEngine(), target(port, wrong)) as session:
            await session.get([SYS_OBJECT_ID])
