"""The profile's kind decides how a value is read, never its type on the wire."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp.decode import MAX_GAUGE, channel_band, decode, mhz_band
from collectors.snmp.engine import Value
from collectors.snmp.oids import decode_index, format_mac, parse_mac
from collectors.snmp.profile import Cell

VALUES = st.one_of(
    st.integers(-(2**65), 2**65), st.floats(), st.binary(max_size=40), st.text(max_size=40)
)


def cell(kind: str, **keys: Any) -> Cell:
    if kind == "enum" and "map" not in keys:
        keys["map"] = {"1": "up"}
    return Cell.model_validate({"oid": "1.3", "kind": kind, **keys})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("gauge", 7, 7),
        ("gauge", b"7", 7),
        ("gauge", b' "7"\n', 7),
        ("gauge", b"", None),
        ("counter32", 2**32 - 1, 2**32 - 1),
        ("counter64", 2**64 - 1, 2**64 - 1),
        ("counter64", b"18446744073709551615", 2**64 - 1),
        ("text", b" caf\xc3\xa9 \0", "café"),
        ("text", b"\xff", "\N{REPLACEMENT CHARACTER}"),
        ("text", b"", None),
        ("text", "1.3.6", "1.3.6"),
        ("mac", b"\x02\x00\x00\x00\x00\x01", "02:00:00:00:00:01"),
        ("mac", b"abcdef", "61:62:63:64:65:66"),
        ("mac", b"0200.0000.0001", "02:00:00:00:00:01"),
        ("mac", b"02-00-00-00-00-AB", "02:00:00:00:00:ab"),
        ("mac", b"\0\0\0\0\0\0", None),
        ("ticks", 8_640_099, 86_400),
        ("seconds", 86_400, 86_400),
        ("percent", b"3.7", 3.7),
        ("percent", 0, 0.0),
        ("channel", b"44E", "5g"),
        ("channel", 65_536 + 6, "2g"),
        ("channel", b"", None),
        ("channel", 0, None),
        ("mhz", 5180, "5g"),
        ("mhz", 0, None),
        ("enum", 1, "up"),
        ("enum", b"1", "up"),
    ],
)
def test_values_are_read_by_kind(kind: str, value: Value, expected: object) -> None:
    assert decode(cell(kind), value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("gauge", -1, "negative"),
        ("gauge", MAX_GAUGE + 1, "larger than 1,000,000"),
        ("gauge", b"many", "text where a number belongs"),
        ("counter32", b"Aerohive Network", "text where a number belongs"),
        ("counter32", 2**32, "larger than"),
        ("counter64", 2**64, "larger than"),
        ("counter64", -5, "negative"),
        ("counter64", float("nan"), "no finite number"),
        ("percent", 101, "not within 0 and 100 per cent"),
        ("percent", -1, "not within"),
        ("mac", b"nonsense", "not a MAC address"),
        ("enum", 9, "not one of 1"),
        ("ticks", -1, "negative"),
    ],
)
def test_what_cannot_be_right_is_refused_without_being_quoted(
    kind: str, value: Value, reason: str
) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        decode(cell(kind), value)


def test_a_profile_may_scale_and_limit() -> None:
    assert decode(cell("percent", scale=0.1), 284) == 28.4
    assert decode(cell("gauge", scale=0.1, max=5), 50) == 5
    with pytest.raises(ValueError, match="larger than 5"):
        decode(cell("gauge", max=5), 6)


def test_an_enum_may_say_what_everything_else_means() -> None:
    states = cell("enum", map={"8": "up", "Connect": "up"}, other="down")
    assert [decode(states, value) for value in (8, 4, b"connect", b"?")] == [
        "up", "down", "up", "down",
    ]  # fmt: skip
    assert decode(cell("enum", map={"1": "2g", "3": "unknown"}), 3) is None


@given(
    kind=st.sampled_from(
        ["gauge", "counter32", "counter64", "text", "mac", "enum", "ticks", "seconds", "percent",
         "channel", "mhz", "any"]
    ),
    value=VALUES,
)  # fmt: skip
def test_no_value_is_too_strange(kind: str, value: Value) -> None:
    try:
        read = decode(cell(kind), value)
    except ValueError:
        return
    if isinstance(read, (int, float)):
        assert read >= 0


@pytest.mark.parametrize(
    ("channel", "band"),
    [(1, "2g"), (14, "2g"), (36, "5g"), (144, "5g"), (149, "5g"), (177, "5g"), (53, "6g"),
     (233, "6g"), (0, None), (15, None), (255, None)],
)  # fmt: skip
def test_the_band_of_a_channel(channel: int, band: str | None) -> None:
    assert channel_band(channel) == band


@pytest.mark.parametrize(
    ("mhz", "band"),
    [(2412, "2g"), (5180, "5g"), (5895, "5g"), (5955, "6g"), (7115, "6g"), (66_960, None)],
)
def test_the_band_of_a_frequency(mhz: int, band: str | None) -> None:
    assert mhz_band(mhz) == band


@given(st.binary(min_size=6, max_size=6), st.sampled_from([":", "-", "", "."]))
def test_a_mac_address_reads_the_same_in_every_spelling(octets: bytes, separator: str) -> None:
    size = 2 if separator == "." else 1
    text = octets.hex(separator, size) if separator else octets.hex()
    assert parse_mac(text.upper()) == format_mac(octets)


@pytest.mark.parametrize(
    ("kinds", "suffix", "expected"),
    [
        (("int",), "7", (7,)),
        (("mac", "int"), "2.0.0.0.1.255.0", ("02:00:00:00:01:ff", 0)),
        (("string", "int"), "2.97.98.5", ("ab", 5)),
        (("string",), "0", ("",)),
        (("int", "implied_string"), "1.97.98", (1, "ab")),
        (("ip",), "10.0.0.1", ("10.0.0.1",)),
    ],
)
def test_an_index_is_taken_apart(kinds: Any, suffix: str, expected: tuple[object, ...]) -> None:
    assert decode_index(kinds, suffix) == expected


@pytest.mark.parametrize(
    ("kinds", "suffix"),
    [
        (("mac",), "2.0.0.0.1"),
        (("mac",), "2.0.0.0.1.256"),
        (("int",), "1.2"),
        (("string",), "5.97"),
        (("int", "int"), "1"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(kinds: Any, suffix: str) -> None:
    with pytest.raises(ValueError, match="the index"):
        decode_index(kinds, suffix)


@given(st.lists(st.sampled_from(["int", "mac", "string", "ip"]), min_size=1, max_size=3),
       st.lists(st.integers(0, 300), min_size=1, max_size=20))  # fmt: skip
def test_no_index_is_too_strange(kinds: list[Any], numbers: list[int]) -> None:
    try:
        parts = decode_index(tuple(kinds), ".".join(map(str, numbers)))
    except ValueError:
        return
    assert len(parts) == len(kinds)
