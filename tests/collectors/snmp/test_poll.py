"""One poll: who it is, what fits, and what is kept when a device falters."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from collectors.fleet.agent import Agent, Oid, Value
from collectors.snmp.device import ApPoll, DevicePoll
from collectors.snmp.engine import SnmpTimeout, Target
from collectors.snmp.gufo_engine import GufoEngine
from collectors.snmp.poll import Identity, UnknownProfileError, poll_device
from collectors.snmp.profiles import Profiles

Make = Callable[..., Target]

SYS = (1, 3, 6, 1, 2, 1, 1)
NET_SNMP = (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10)
UNIFI_VAP = (1, 3, 6, 1, 4, 1, 41112, 1, 6, 1, 2, 1)
ZD = (1, 3, 6, 1, 4, 1, 25053)


def device(
    oid: Oid, descr: bytes = b"x", more: Mapping[Oid, Value] | None = None
) -> dict[Oid, Value]:
    return {
        (*SYS, 1, 0): ("octets", descr),
        (*SYS, 2, 0): ("oid", oid),
        (*SYS, 3, 0): ("timeticks", 100),
        **(more or {}),
    }


def unifi(clients: int) -> dict[Oid, Value]:
    return device(
        NET_SNMP,
        b"Linux",
        {
            (*UNIFI_VAP, 8, 1): ("integer", clients),
            (*UNIFI_VAP, 9, 1): ("octets", b"ng"),
            (*UNIFI_VAP, 6, 1): ("octets", b"city"),
        },
    )


async def test_the_profile_is_remembered_and_costs_nothing_the_next_time(
    profiles: Profiles, target: Make
) -> None:
    identities: dict[str, Identity] = {}
    async with Agent({"public": unifi(3)}) as agent:
        polls, requests = [], []
        for _ in range(2):
            before = agent.requests
            polls.append(
                await poll_device(GufoEngine(), target(agent.port), profiles, identities=identities)
            )
            requests.append(agent.requests - before)
    assert polls[0] == polls[1]
    assert polls[0].profile == "unifi"
    assert identities["lib-1"].profile == "unifi"
    assert requests[1] < requests[0]


async def test_a_device_that_was_swapped_is_identified_again(
    profiles: Profiles, target: Make
) -> None:
    identities: dict[str, Identity] = {}
    now = device((*ZD, 3, 1, 5, 15), more={(*ZD, 1, 2, 1, 1, 1, 15, 2, 0): ("gauge32", 9)})
    async with Agent({"public": lambda: now}, cache_s=0) as agent:
        there = target(agent.port)
        first = await poll_device(GufoEngine(), there, profiles, identities=identities)
        now = unifi(4)
        second = await poll_device(GufoEngine(), there, profiles, identities=identities)
    assert (first.profile, first.clients_total) == ("ruckus-zonedirector", 9)
    assert (second.profile, second.clients_total) == ("unifi", 4)


async def test_a_device_that_is_still_booting_is_not_taken_for_generic_for_ever(
    profiles: Profiles, target: Make
) -> None:
    identities: dict[str, Identity] = {}
    now = device(NET_SNMP, b"Linux")
    async with Agent({"public": lambda: now}, cache_s=0) as agent:
        there = target(agent.port)
        first = await poll_device(GufoEngine(), there, profiles, identities=identities)
        now = unifi(4)
        second = await poll_device(GufoEngine(), there, profiles, identities=identities)
    assert (first.profile, first.clients_total, first.ap_count) == ("generic", None, 1)
    assert (second.profile, second.clients_total) == ("unifi", 4)


async def test_a_profile_may_be_given(profiles: Profiles, target: Make) -> None:
    async with Agent({"public": unifi(3)}) as agent:
        poll = await poll_device(GufoEngine(), target(agent.port), profiles, "generic")
        assert (poll.profile, poll.clients_total, poll.sys_descr) == ("generic", None, "Linux")
        with pytest.raises(UnknownProfileError, match="'nope' is no profile; allowed: auto, aero"):
            await poll_device(GufoEngine(), target(agent.port), profiles, "nope")


async def test_a_device_that_says_nothing_of_itself_is_generic(
    profiles: Profiles, target: Make
) -> None:
    tree: dict[Oid, Value] = {(1, 3, 6, 1, 9): ("integer", 1)}
    async with Agent({"public": tree}) as agent:
        poll = await poll_device(GufoEngine(), target(agent.port), profiles)
    assert (poll.profile, poll.sys_object_id, poll.clients_total) == ("generic", None, None)


async def test_a_device_that_is_off_is_a_timeout(profiles: Profiles, target: Make) -> None:
    async with Agent({"public": lambda: None}) as agent:
        off = target(agent.port, timeout_s=0.05)
        with pytest.raises(SnmpTimeout, match=r"^lib-1 \(127\.0\.0\.1:\d+\): GET of 1\.3\.6"):
            await poll_device(GufoEngine(), off, profiles)


@pytest.mark.parametrize("answered", [1, 2, 3, 4, 6, 8])
async def test_what_was_read_before_a_device_fell_silent_stands(
    profiles: Profiles, target: Make, answered: int
) -> None:
    agent: Agent

    def fading() -> dict[Oid, Value] | None:
        return unifi(3) if agent.requests <= answered else None

    async with Agent({"public": fading}, cache_s=0) as agent:
        fast = target(agent.port, timeout_s=0.05)
        poll = await poll_device(GufoEngine(), fast, profiles, "unifi")
    assert poll.sys_descr == "Linux"
    assert poll.aps[0].rx_bytes is None
    assert poll.clients_total in (None, 3)
    assert any("no answer within 0.05 s" in warning for warning in poll.warnings)
    assert all(warning.startswith("lib-1 (127.0.0.1:") for warning in poll.warnings)
    # Two walks without an answer are enough to know.
    assert agent.requests <= answered + 2


async def test_a_poll_that_takes_too_long_ends_with_what_it_has(
    profiles: Profiles, target: Make
) -> None:
    agent: Agent

    def fading() -> dict[Oid, Value] | None:
        return unifi(3) if agent.requests <= 2 else None

    async with Agent({"public": fading}, cache_s=0) as agent:
        patient = target(agent.port, timeout_s=30)
        poll = await poll_device(GufoEngine(), patient, profiles, "unifi", limit_s=0.4)
        assert poll.warnings[-1].endswith("out of time; the rest was not read")
        agent.requests = 100
        with pytest.raises(SnmpTimeout, match=r"not identified within 0\.1 s"):
            await poll_device(GufoEngine(), patient, profiles, limit_s=0.1)


async def test_other_networks_fall_back_only_where_needed(profiles: Profiles, target: Make) -> None:
    """A controller's networks are not walked when it says the total itself."""
    totals: dict[Oid, Value] = {
        (*ZD, 1, 2, 1, 1, 1, 15, 2, 0): ("gauge32", 9),
        (*ZD, 1, 2, 2, 1, 1, 1, 1, 1, 12, 1): ("gauge32", 7),
    }
    async with Agent({"public": device((*ZD, 3, 1, 5, 15), more=totals)}) as agent:
        assert (await poll_device(GufoEngine(), target(agent.port), profiles)).clients_total == 9
    totals.pop((*ZD, 1, 2, 1, 1, 1, 15, 2, 0))
    async with Agent({"public": device((*ZD, 3, 1, 5, 15), more=totals)}) as agent:
        assert (await poll_device(GufoEngine(), target(agent.port), profiles)).clients_total == 7


def test_the_json_has_the_keys_of_the_design() -> None:
    document: dict[str, Any] = DevicePoll("x", "ap", aps=(ApPoll(),), warnings=("w",)).as_json()
    assert list(document) == [
        "profile", "sys_descr", "sys_object_id", "device_up", "clients_total", "ap_count", "aps",
    ]  # fmt: skip
    assert list(document["aps"][0]) == [
        "ap", "name", "mac", "up", "clients", "clients_2g", "clients_5g", "clients_6g",
        "rx_bytes", "tx_bytes", "uptime_s", "channel_utilisation",
    ]  # fmt: skip
