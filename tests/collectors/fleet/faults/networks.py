"""Small networks, and troubles written down instead of drawn."""

from dataclasses import replace

from collectors.fleet.faults.network import Head, Network, Spot
from collectors.fleet.faults.troubles import Blind, Down, Fault, FaultKind, Shift, Troubles
from collectors.fleet.faults.world import World

T = 1_768_777_200_000
"""A Monday, 00:00 in Brussels."""
MINUTE = 60_000
HOUR = 60 * MINUTE
ROUND = 5 * MINUTE

SMALL = Network(
    spots=(
        Spot("a1", "a", "snmp", None, "up"),
        Spot("a2", "a", "snmp", None, "up"),
        Spot("b1", "b", "snmp", "wlc", None),
        Spot("b2", "b", "snmp", "wlc", None),
        Spot("c1", "c", "mqtt", None, "up"),
        Spot("c2", "c", "mqtt", None, "up", own_clock=True),
        Spot("d1", "d", "snmp", None, None),
    ),
    heads=(Head("wlc", None, forgetful=False),),
    kinds={"a": "library", "b": "museum", "c": "library", "d": "school"},
)
A1, A2, B1, B2, C1, C2, D1 = range(7)


def troubles(
    *faults: Fault,
    blind: tuple[Blind, ...] = (),
    works: tuple[tuple[str, int, int], ...] = (),
    shifts: tuple[Shift, ...] = (),
    hours: int = 24,
) -> Troubles:
    return Troubles(T, T + hours * HOUR, faults, blind, works, (), (), shifts)


def fault(kind: FaultKind, subject: str, start_ms: int, end_ms: int, *spots: int) -> Fault:
    return Fault(kind, subject, tuple(Down(spot, start_ms, end_ms) for spot in spots))


def world(
    happens: Troubles, *, loss: float = 0.0, network: Network = SMALL, forgetful: bool = False
) -> World:
    heads = tuple(replace(head, forgetful=forgetful) for head in network.heads)
    return World(1, replace(network, heads=heads), happens, loss, ())
