"""From what was read to what it means: unknown stays unknown, wrong is dropped, the rest stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.reading import MAX_COUNTER
from collectors.snmp.device import DevicePoll
from collectors.snmp.engine import Value
from collectors.snmp.interpret import interpret
from collectors.snmp.profile import NAME_KEY, Profile
from collectors.snmp.profiles import Profiles
from collectors.snmp.tables import Raw

MAC = "2.0.0.0.0.1"
OTHER_MAC = "2.0.0.0.0.2"


def profile(device: str = "ap", **keys: Any) -> Profile:
    return Profile.model_validate({NAME_KEY: "test", "title": "T", "device": device, **keys})


def cell(oid: str, kind: str, **keys: Any) -> dict[str, Any]:
    return {"oid": oid, "kind": kind, **keys}


VAPS = {
    "index": {"vap": "int"},
    "columns": {
        "ssid": cell("1.1", "text"),
        "clients": cell("1.2", "gauge"),
        "band": cell("1.3", "enum", map={"1": "2g", "2": "5g"}, other="unknown"),
        "rx_bytes": [cell("1.4", "counter64"), cell("1.6", "counter32")],
        "tx_bytes": [cell("1.5", "counter64"), cell("1.7", "counter32")],
    },
}
INTERFACES = {
    "index": {"interface": "int"},
    "columns": {"rx_bytes": cell("2.1", "counter64"), "tx_bytes": cell("2.2", "counter64")},
}
AP = profile(tables={"vaps": VAPS, "interfaces": INTERFACES})

APS = {
    "index": {"ap": "mac"},
    "columns": {
        "name": cell("3.1", "text"),
        "up": cell("3.2", "enum", map={"1": "up", "2": "down"}),
        "clients": cell("3.3", "gauge"),
    },
}
RADIOS = {
    "index": {"ap": "mac", "radio": "int"},
    "columns": {
        "clients": cell("4.1", "gauge"),
        "band": cell("4.2", "channel"),
        "channel_utilisation": cell("4.3", "percent"),
        "rx_bytes": cell("4.4", "counter32"),
        "tx_bytes": cell("4.5", "counter32"),
    },
}
CONTROLLER = profile(
    "controller",
    scalars={"clients_total": cell("5.1.0", "gauge"), "ap_count": cell("5.2.0", "gauge")},
    tables={
        "ssids": {"index": {"wlan": "int"}, "columns": {"clients": cell("6.1", "gauge")}},
        "aps": APS,
        "radios": RADIOS,
    },
)


def read(
    what: Profile,
    columns: dict[str, dict[str, Value]] | None = None,
    scalars: dict[str, Value] | None = None,
    failed: set[str] | None = None,
) -> DevicePoll:
    raw = Raw(scalars=scalars or {}, failed=failed or set())
    raw.columns.update({oid: list(rows.items()) for oid, rows in (columns or {}).items()})
    return interpret(what, raw)


def test_what_a_device_does_not_say_is_not_zero() -> None:
    ap = read(AP).aps[0]
    assert (ap.up, ap.clients, ap.clients_2g, ap.rx_bytes, ap.channel_utilisation) == (
        True, None, None, None, None,
    )  # fmt: skip
    controller = read(CONTROLLER)
    assert (controller.clients_total, controller.ap_count, controller.aps) == (None, None, ())


def test_a_true_zero_is_zero() -> None:
    controller = read(CONTROLLER, scalars={"5.1.0": 0, "5.2.0": 0})
    assert (controller.clients_total, controller.ap_count) == (0, 0)
    assert read(AP, {"1.2": {"1": 0}}).clients_total == 0


@pytest.mark.parametrize("wrong", [b"Aerohive Network", -1, 10**9, b"-3"])
def test_a_wrong_value_makes_its_sum_unknown_and_leaves_the_rest(wrong: Value) -> None:
    poll = read(
        CONTROLLER,
        {
            "3.1": {MAC: b"one", OTHER_MAC: b"two"},
            "4.1": {f"{MAC}.0": wrong, f"{MAC}.1": 4, f"{OTHER_MAC}.0": 5},
        },
    )
    assert [(ap.name, ap.clients) for ap in poll.aps] == [("one", None), ("two", 5)]
    assert poll.clients_total is None
    assert len(poll.warnings) == 1
    assert poll.warnings[0].startswith("4.1: 1 wrong value dropped: ")


def test_a_wrong_scalar_falls_back_to_the_next_source() -> None:
    poll = read(CONTROLLER, {"6.1": {"1": 3, "7": 4}}, {"5.1.0": b"n/a"})
    assert poll.clients_total == 7
    assert poll.warnings == ("5.1.0: 1 wrong value dropped: text where a number belongs",)


def test_totals_go_from_the_devices_own_to_networks_to_radios() -> None:
    columns: dict[str, dict[str, Value]] = {
        "6.1": {"1": 3},
        "4.1": {f"{MAC}.0": 5},
        "3.3": {MAC: 9},
    }
    assert read(CONTROLLER, columns, {"5.1.0": 1}).clients_total == 1
    assert read(CONTROLLER, columns).clients_total == 3
    del columns["6.1"]
    assert read(CONTROLLER, columns).clients_total == 5
    del columns["4.1"]
    assert read(CONTROLLER, columns).clients_total == 9


def test_ap_count_is_the_controllers_own_else_rows_not_known_to_be_down() -> None:
    columns: dict[str, dict[str, Value]] = {
        "3.1": {MAC: b"one", OTHER_MAC: b"two"},
        "3.2": {OTHER_MAC: 2},
    }
    assert read(CONTROLLER, columns, {"5.2.0": 40}).ap_count == 40
    assert read(CONTROLLER, columns).ap_count == 1


def test_an_ap_that_only_a_radio_names_is_an_ap() -> None:
    poll = read(CONTROLLER, {"3.1": {MAC: b"one"}, "4.1": {f"{OTHER_MAC}.0": 2}})
    assert [(ap.mac, ap.clients) for ap in poll.aps] == [
        ("02:00:00:00:00:01", None),
        ("02:00:00:00:00:02", 2),
    ]


def test_clients_of_an_unknown_band_make_every_band_unknown() -> None:
    columns: dict[str, dict[str, Value]] = {"1.2": {"1": 3, "2": 4}, "1.3": {"1": 1, "2": 2}}
    ap = read(AP, columns).aps[0]
    assert (ap.clients_2g, ap.clients_5g, ap.clients_6g) == (3, 4, None)
    columns["1.3"]["2"] = 9
    ap = read(AP, columns).aps[0]
    assert (ap.clients, ap.clients_2g, ap.clients_5g) == (7, None, None)
    columns["1.2"]["2"] = 0
    assert read(AP, columns).aps[0].clients_2g == 3


def test_the_busiest_radio_stands_for_the_air() -> None:
    poll = read(CONTROLLER, {"4.3": {f"{MAC}.0": b"3.7", f"{MAC}.1": 61}})
    assert poll.aps[0].channel_utilisation == 61


def test_what_is_to_be_left_out_is_not_counted() -> None:
    vaps = {**VAPS, "leave_out": {"ssid": "^vwire-"}}
    what = profile(tables={"vaps": vaps})
    columns: dict[str, dict[str, Value]] = {
        "1.1": {"1": b"city", "2": b"vwire-1"},
        "1.2": {"1": 3, "2": 1},
        "1.4": {"1": 10, "2": 1000},
        "1.5": {"1": 20, "2": 1000},
    }
    ap = read(what, columns).aps[0]
    assert (ap.clients, ap.rx_bytes, ap.tx_bytes) == (3, 10, 20)
    # Without the names nobody can tell an uplink from people.
    del columns["1.1"]
    ap = read(what, columns, failed={"1.1"}).aps[0]
    assert (ap.clients, ap.rx_bytes) == (None, None)


def test_64_bit_columns_that_stand_still_give_way_to_32_bit_ones() -> None:
    columns: dict[str, dict[str, Value]] = {
        "1.4": {"1": 0}, "1.5": {"1": 0}, "1.6": {"1": 7}, "1.7": {"1": 8},
    }  # fmt: skip
    ap = read(AP, columns).aps[0]
    assert (ap.rx_bytes, ap.tx_bytes, ap.counter_bits) == (7, 8, 32)
    columns["1.4"]["1"] = 1
    ap = read(AP, columns).aps[0]
    assert (ap.rx_bytes, ap.tx_bytes, ap.counter_bits) == (1, 0, 64)


def test_another_tables_counters_never_stand_in_for_ones_that_failed_this_time() -> None:
    columns: dict[str, dict[str, Value]] = {"2.1": {"1": 5}, "2.2": {"1": 6}}
    assert read(AP, columns).aps[0].rx_bytes == 5
    assert read(AP, columns, failed={"1.4"}).aps[0].rx_bytes is None


@given(
    before=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=6),
    grown=st.lists(st.integers(0, 2**29), min_size=6, max_size=6),
)
def test_a_sum_of_counters_grows_by_the_sum_of_their_growth(
    before: list[int], grown: list[int]
) -> None:
    """Modulo their width, also when one of them wraps."""
    grown = grown[: len(before)]

    def summed(counters: list[int]) -> int:
        column: dict[str, Value] = {f"{MAC}.{n}": c for n, c in enumerate(counters)}
        ap = read(CONTROLLER, {"4.4": column, "4.5": column}).aps[0]
        assert ap.counter_bits == 32
        assert ap.rx_bytes is not None
        assert 0 <= ap.rx_bytes < 2**32
        return ap.rx_bytes

    after = [(b + g) % 2**32 for b, g in zip(before, grown, strict=True)]
    assert (summed(after) - summed(before)) % 2**32 == sum(grown) % 2**32


def test_a_counter_that_no_store_can_hold_is_dropped() -> None:
    columns: dict[str, dict[str, Value]] = {"1.4": {"1": MAX_COUNTER + 1}, "1.5": {"1": 1}}
    poll = read(AP, columns)
    assert (poll.aps[0].rx_bytes, poll.aps[0].tx_bytes) == (None, 1)
    assert len(poll.warnings) == 1


def test_an_empty_client_table_is_zero_only_where_the_mib_is_alive() -> None:
    what = profile(
        tables={
            "ssids": {"index": {"ssid": "int"}, "columns": {"ssid": cell("1.1", "text")}},
            "stations": {"index": {"s": "int"}, "columns": {"station": cell("1.2", "any")}},
        }
    )
    assert read(what, {"1.1": {"1": b"city"}, "1.2": {"4": b"x", "5": b"y"}}).clients_total == 2
    assert read(what, {"1.1": {"1": b"city"}, "1.2": {}}).clients_total == 0
    assert read(what, {"1.1": {}, "1.2": {}}).clients_total is None
    assert read(what, {"1.1": {"1": b"city"}}, failed={"1.2"}).clients_total is None


def test_warnings_never_hold_the_address_of_a_client() -> None:
    stations = {"index": {"s": "mac"}, "columns": {"ssid": cell("1.2", "text")}}
    what = profile(tables={"stations": stations})
    poll = read(what, {"1.2": {"6.170.187.204.221.238": b"x", "6.170.187.204": b"y"}})
    assert poll.clients_total == 1
    assert poll.warnings == ("1.2: 1 wrong value dropped: the index does not hold mac",)


def test_a_vap_has_the_band_of_its_radio() -> None:
    what = profile(
        tables={
            "radios": {"index": {"radio": "int"}, "columns": {"band": cell("1.1", "channel")}},
            "vaps": {
                "index": {"radio": "int", "vap": "int"},
                "columns": {"clients": cell("1.2", "gauge")},
            },
        }
    )
    ap = read(what, {"1.1": {"0": 11, "1": 36}, "1.2": {"0.0": 2, "1.0": 3, "1.1": 4}}).aps[0]
    assert (ap.clients_2g, ap.clients_5g) == (2, 7)


CELLS = st.one_of(
    st.integers(-(2**65), 2**65), st.binary(max_size=8), st.text(max_size=8), st.floats()
)
SUFFIXES = st.lists(st.integers(0, 260), min_size=1, max_size=8).map(
    lambda numbers: ".".join(map(str, numbers))
)


@given(data=st.data())
def test_no_device_is_too_strange(profiles: Profiles, data: st.DataObject) -> None:
    what = profiles[data.draw(st.sampled_from(sorted(profiles)))]
    raw = Raw(sys_object_id="1.3.6.1.4.1.6486.802.1.1.2.1.2.12")
    for cells in what.scalars.values():
        raw.scalars |= {c.oid: data.draw(CELLS) for c in cells if data.draw(st.booleans())}
    for table in what.tables.values():
        for cells in table.columns.values():
            for c in cells:
                oid = raw.oid(c) or ""
                rows = st.dictionaries(SUFFIXES, CELLS, max_size=3)
                raw.columns[oid] = list(data.draw(rows).items())
    poll = interpret(what, raw)
    for ap in poll.aps:
        for number in (ap.clients, ap.clients_2g, ap.rx_bytes, ap.tx_bytes, ap.uptime_s):
            assert number is None or 0 <= number <= MAX_COUNTER


def test_an_idle_ap_whose_state_could_not_be_read_is_not_known_to_serve() -> None:
    """A controller may list one that it has lost for long, with no clients and its last octets."""
    columns: dict[str, dict[str, Value]] = {
        "3.1": {MAC: b"gone", OTHER_MAC: b"busy"},
        "3.3": {MAC: 0, OTHER_MAC: 4},
        "4.4": {f"{MAC}.1": 7, f"{OTHER_MAC}.1": 9},
        "4.5": {f"{MAC}.1": 7, f"{OTHER_MAC}.1": 9},
    }
    gone, busy = read(CONTROLLER, columns, failed={"3.2"}).aps
    assert (gone.name, gone.up, gone.clients, gone.rx_bytes) == ("gone", None, None, None)
    assert (busy.name, busy.up, busy.clients, busy.rx_bytes) == ("busy", None, 4, 9)
    idle = read(CONTROLLER, columns | {"3.2": {OTHER_MAC: 1}}).aps[0]
    assert (idle.up, idle.clients, idle.rx_bytes) == (None, 0, 7)
