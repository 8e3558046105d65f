"""Who is at which AP: whole or not at all, and nobody is placed by a guess."""

from typing import Any

import pytest

from collectors.snmp.device import DevicePoll
from collectors.snmp.engine import Value
from collectors.snmp.interpret import interpret
from collectors.snmp.profile import NAME_KEY, Profile
from collectors.snmp.stations import Stations
from collectors.snmp.tables import Raw

ONE, TWO = "2.0.0.0.0.1", "2.0.0.0.0.2"
"""APs."""
A, B, C = "2.0.0.0.12.1", "2.0.0.0.12.2", "2.0.0.0.12.3"
"""Clients."""


def mac(index: str) -> bytes:
    return bytes(map(int, index.split(".")))


def who(*clients: str) -> Stations:
    return Stations(map(mac, clients))


def cell(oid: str, kind: str) -> dict[str, Any]:
    return {"oid": oid, "kind": kind}


def controller(stations: dict[str, Any]) -> Profile:
    tables = {
        "aps": {"index": {"ap": "mac"}, "columns": {"name": cell("1.1", "text")}},
        "radios": {
            "index": {"ap": "mac", "radio": "int"},
            "columns": {"mac": cell("2.1", "mac"), "clients": cell("2.2", "gauge")},
        },
        "vaps": {
            "index": {"ap": "mac", "radio": "int", "vap": "int"},
            "columns": {"bssid": cell("3.1", "mac"), "clients": cell("3.2", "gauge")},
        },
        "stations": stations,
    }
    return Profile.model_validate(
        {NAME_KEY: "test", "title": "T", "device": "controller", "tables": tables}
    )


BY_MAC = controller({"index": {"mac": "mac"}, "columns": {"ap_mac": cell("9.1", "mac")}})
BY_NAME = controller({"index": {"mac": "mac"}, "columns": {"ap_name": cell("9.1", "text")}})
BY_INDEX = controller(
    {"index": {"ap": "mac", "client": "int"}, "columns": {"mac": cell("9.1", "mac")}}
)
APS: dict[str, dict[str, Value]] = {"1.1": {ONE: b"one", TWO: b"two"}}


def read(
    what: Profile,
    columns: dict[str, dict[str, Value]],
    *,
    failed: set[str] | None = None,
    client_tables: bool = True,
) -> DevicePoll:
    raw = Raw(client_tables=client_tables, failed=failed or set())
    for table in what.tables.values():
        for cells in table.columns.values():
            raw.columns |= {c.oid: [] for c in cells if c.oid not in raw.failed}
    raw.columns |= {oid: list(rows.items()) for oid, rows in columns.items()}
    return interpret(what, raw)


def by_ap(poll: DevicePoll) -> dict[str | None, Stations | None]:
    return {ap.name: ap.stations for ap in poll.aps}


def test_a_client_is_at_the_ap_whose_address_its_row_names() -> None:
    poll = read(BY_MAC, {**APS, "9.1": {A: mac(ONE), B: b"02-00-00-00-00-01", C: mac(TWO)}})
    assert by_ap(poll) == {"one": who(A, B), "two": who(C)}
    assert (poll.stations, poll.elsewhere, poll.warnings) == (who(A, B, C), 0, ())


def test_or_that_of_its_radio_or_of_its_virtual_ap() -> None:
    radio, bssid = "2.0.0.0.7.1", "2.0.0.0.7.2"
    poll = read(
        BY_MAC,
        {
            **APS,
            "2.1": {f"{ONE}.1": mac(radio)},
            "3.1": {f"{TWO}.1.4": mac(bssid)},
            "9.1": {A: mac(radio), B: mac(bssid)},
        },
    )
    assert by_ap(poll) == {"one": who(A), "two": who(B)}


def test_a_virtual_ap_with_another_aps_address_is_its_own_aps() -> None:
    poll = read(BY_MAC, {**APS, "3.1": {f"{TWO}.1.4": mac(ONE)}, "9.1": {A: mac(ONE)}})
    assert by_ap(poll) == {"one": who(), "two": who(A)}


def test_an_address_that_several_aps_share_is_nobodys() -> None:
    shared = "2.0.0.0.7.1"
    poll = read(
        BY_MAC,
        {**APS, "3.1": {f"{ONE}.1.4": mac(shared), f"{TWO}.1.4": mac(shared)},
         "9.1": {A: mac(shared)}},
    )  # fmt: skip
    assert by_ap(poll) == {"one": who(), "two": who()}
    assert poll.elsewhere == 1


def test_a_client_may_name_its_ap() -> None:
    poll = read(BY_NAME, {**APS, "9.1": {A: b" ONE", B: b"two", C: b"three"}})
    assert by_ap(poll) == {"one": who(A), "two": who(B)}
    assert poll.elsewhere == 1


def test_or_have_it_in_its_index() -> None:
    gone = "2.0.0.0.0.9"
    cells: dict[str, Value] = {f"{ONE}.1": mac(A), f"{TWO}.1": mac(B), f"{gone}.1": mac(C)}
    poll = read(BY_INDEX, {**APS, "9.1": cells})
    assert by_ap(poll) == {"one": who(A), "two": who(B)}
    assert (poll.stations, poll.elsewhere) == (who(A, B, C), 1)


def test_one_that_moves_while_the_table_is_read_is_at_both() -> None:
    poll = read(BY_INDEX, {**APS, "9.1": {f"{ONE}.1": mac(A), f"{TWO}.1": mac(A)}})
    assert by_ap(poll) == {"one": who(A), "two": who(A)}
    assert (poll.stations, poll.elsewhere) == (who(A), 0)


@pytest.mark.parametrize("wrong", [b"", b"\0" * 6, b"not an AP", 7, mac(C)])
def test_a_client_whose_ap_is_not_told_is_at_none(wrong: Value) -> None:
    poll = read(BY_MAC, {**APS, "9.1": {A: mac(ONE), B: wrong}})
    assert by_ap(poll) == {"one": who(A), "two": who()}
    assert (poll.stations, poll.elsewhere) == (who(A, B), 1)


@pytest.mark.parametrize("wrong", [b"", b"\0" * 6, b"\xff" * 6, bytes([1, 0, 94, 0, 0, 1]), b"?"])
def test_what_is_no_devices_address_is_counted_as_wrong(wrong: bytes) -> None:
    poll = read(BY_INDEX, {**APS, "9.1": {f"{ONE}.1": mac(A), f"{ONE}.2": wrong}})
    assert by_ap(poll) == {"one": who(A), "two": who()}
    assert "table of clients: 1 wrong value dropped: no address of a device" in poll.warnings


def test_an_empty_table_is_nobody() -> None:
    poll = read(BY_MAC, APS)
    assert by_ap(poll) == {"one": who(), "two": who()}
    assert poll.stations == who()


def test_a_column_that_failed_is_no_table_at_all() -> None:
    poll = read(BY_MAC, APS, failed={"9.1"})
    assert by_ap(poll) == {"one": None, "two": None}
    assert poll.stations is None


def test_so_is_a_filters_column_that_failed() -> None:
    stations = {
        "index": {"mac": "mac"},
        "columns": {"ap_mac": cell("9.1", "mac"), "status": cell("9.2", "text")},
        "leave_out": {"status": "^7$"},
    }
    what = controller(stations)
    columns: dict[str, dict[str, Value]] = {
        **APS, "9.1": {A: mac(ONE), B: mac(ONE)}, "9.2": {A: 3, B: 7},
    }  # fmt: skip
    assert by_ap(read(what, columns))["one"] == who(A)
    del columns["9.2"]
    assert by_ap(read(what, columns, failed={"9.2"}))["one"] is None


def test_a_table_that_was_not_asked_for_was_not_read() -> None:
    poll = read(BY_MAC, {**APS, "9.1": {A: mac(ONE)}}, client_tables=False)
    assert (poll.stations, by_ap(poll)) == (None, {"one": None, "two": None})
    assert poll.clients_total == 1


def test_everybody_at_an_ap_that_is_polled_itself_is_its_own() -> None:
    lone = Profile.model_validate(
        {
            NAME_KEY: "test", "title": "T", "device": "ap",
            "tables": {
                "stations": {
                    "index": {"interface": "int", "mac": "counted_mac"},
                    "columns": {"station": cell("9.1", "any")},
                }
            },
        }
    )  # fmt: skip
    rows: dict[str, Value] = {f"1.6.{A}": 0, f"2.6.{A}": 0, f"2.6.{B}": 0, f"2.5.{B}": 0}
    poll = read(lone, {"9.1": rows})
    assert (poll.stations, poll.aps[0].stations) == (who(A, B), who(A, B))
    assert poll.warnings == (
        "9.1: 1 wrong value dropped: the index does not hold int, counted_mac",
    )
