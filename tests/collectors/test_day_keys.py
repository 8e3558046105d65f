"""The keys of client addresses: one a day, kept across a restart, destroyed on time."""

import stat
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from collectors.anonymiser import Anonymiser
from collectors.day_keys import DayKeys, key_day

BRUSSELS = ZoneInfo("Europe/Brussels")
GAP = timedelta(minutes=15)
GAP_MS = 900_000
MINUTE = 60_000
MAC = bytes.fromhex("021a2b3c4d5e")


def at(text: str, zone: ZoneInfo = BRUSSELS) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "day_keys.json"


@pytest.fixture
def anonymiser(path: Path) -> Anonymiser:
    return Anonymiser(DayKeys(path), GAP)


def restarted(path: Path) -> Anonymiser:
    return Anonymiser(DayKeys(path), GAP)


def test_an_address_is_the_same_device_until_four_in_the_morning(anonymiser: Anonymiser) -> None:
    seen = [
        anonymiser.device(MAC, BRUSSELS, at(f"2026-03-{when}"))
        for when in ("05T04:15", "05T12:00", "06T00:30", "06T03:59", "06T04:15", "06T12:00")
    ]
    assert len({device.key for device in seen[:4]}) == 1
    assert seen[4].key == seen[5].key != seen[0].key
    assert all(device.former is None for device in seen)
    assert len(seen[0].key) == 8


def test_for_one_session_gap_after_the_change_a_device_is_known_under_both_keys(
    anonymiser: Anonymiser,
) -> None:
    evening = anonymiser.device(MAC, BRUSSELS, at("2026-03-05T23:00"))
    change = at("2026-03-06T04:00")
    assert anonymiser.device(MAC, BRUSSELS, change).former == evening.key
    assert anonymiser.device(MAC, BRUSSELS, change + GAP_MS - 1).former == evening.key
    assert anonymiser.device(MAC, BRUSSELS, change + GAP_MS).former is None


def test_two_addresses_are_two_devices_and_zones_have_keys_of_their_own(
    anonymiser: Anonymiser,
) -> None:
    noon = at("2026-03-05T12:00")
    here = anonymiser.device(MAC, BRUSSELS, noon)
    assert anonymiser.device(bytes.fromhex("021a2b3c4d5f"), BRUSSELS, noon).key != here.key
    assert anonymiser.device(MAC, ZoneInfo("Indian/Reunion"), noon).key != here.key
    assert anonymiser.device(MAC, BRUSSELS, noon) == here


@pytest.mark.parametrize(
    ("mac", "randomised"),
    [
        ("021a2b3c4d5e", True),
        ("da1a2b3c4d5e", True),
        ("3c1a2b3c4d5e", False),
        ("010000000000", False),
    ],
)
def test_the_locally_administered_bit_tells_a_randomised_address(
    anonymiser: Anonymiser, mac: str, randomised: bool
) -> None:
    assert anonymiser.device(bytes.fromhex(mac), BRUSSELS, 0).randomised is randomised


@pytest.mark.parametrize("length", [0, 5, 8])
def test_what_is_no_address_is_refused_and_not_quoted(anonymiser: Anonymiser, length: int) -> None:
    with pytest.raises(ValueError, match="6 octets") as refused:
        anonymiser.device(b"\xab" * length, BRUSSELS, 0)
    assert "ab" not in str(refused.value).replace("address", "")


def test_a_restart_within_the_day_goes_on_with_the_same_key(
    anonymiser: Anonymiser, path: Path
) -> None:
    before = anonymiser.device(MAC, BRUSSELS, at("2026-03-05T12:00"))
    assert restarted(path).device(MAC, BRUSSELS, at("2026-03-06T03:00")) == before
    after = restarted(path).device(MAC, BRUSSELS, at("2026-03-06T04:05"))
    assert after.former == before.key


def test_after_a_longer_absence_nothing_of_the_past_is_known(
    anonymiser: Anonymiser, path: Path
) -> None:
    before = anonymiser.device(MAC, BRUSSELS, at("2026-03-04T12:00"))
    after = restarted(path).device(MAC, BRUSSELS, at("2026-03-06T04:05"))
    assert after.former is None
    assert after.key != before.key


def held(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def key_in(path: Path, zone: ZoneInfo, now_ms: int) -> bytes:
    return DayKeys(path).at(zone, now_ms, GAP_MS).key.hex().encode()


def test_a_key_is_gone_from_the_disk_one_gap_after_its_day(
    anonymiser: Anonymiser, path: Path
) -> None:
    evening = at("2026-03-05T23:00")
    anonymiser.device(MAC, BRUSSELS, evening)
    key = key_in(path, BRUSSELS, evening)
    anonymiser.expire(at("2026-03-06T04:00"))
    assert key in held(path)
    anonymiser.expire(at("2026-03-06T04:15"))
    assert key not in held(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_key_is_overwritten_not_only_unlinked(anonymiser: Anonymiser, path: Path) -> None:
    evening = at("2026-03-05T23:00")
    anonymiser.device(MAC, BRUSSELS, evening)
    key = key_in(path, BRUSSELS, evening)
    with path.open("rb") as still_open:
        anonymiser.expire(at("2026-03-07T12:00"))
        assert key not in still_open.read()


def test_the_file_is_its_owners_alone_and_holds_no_address(
    anonymiser: Anonymiser, path: Path
) -> None:
    anonymiser.device(MAC, BRUSSELS, at("2026-03-05T12:00"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for spelling in (MAC, MAC.hex().encode(), MAC.hex(":").encode()):
        assert spelling not in held(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"Europe/Brussels": 3}', b'{"Mars": {}}',
                b'{"Europe/Brussels": {"day": "2026-03-05", "key": "abcd", "former": null}}']
)  # fmt: skip
def test_a_damaged_file_is_told_and_replaced(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    noon = at("2026-03-05T12:00")
    with capture_logs() as logs:
        device = restarted(path).device(MAC, BRUSSELS, noon)
    assert [entry["event"] for entry in logs] == ["day keys damaged, new ones made"]
    assert restarted(path).device(MAC, BRUSSELS, noon) == device


def test_a_disk_that_takes_nothing_stops_nobody_and_is_tried_again(path: Path) -> None:
    path.parent.write_text("a file where the folder should be", encoding="utf-8")
    noon = at("2026-03-05T12:00")
    with capture_logs() as logs:
        anonymiser = restarted(path)
        device = anonymiser.device(MAC, BRUSSELS, noon)
        assert anonymiser.device(MAC, BRUSSELS, noon) == device
        anonymiser.expire(noon)
    assert [entry["event"] for entry in logs] == ["day keys not read", "day keys not written"]
    path.parent.unlink()
    anonymiser.expire(noon)
    assert restarted(path).device(MAC, BRUSSELS, noon) == device


def test_no_key_shows_where_keys_are_printed(path: Path) -> None:
    keys = DayKeys(path).at(BRUSSELS, at("2026-03-05T12:00"), GAP_MS)
    assert keys.key.hex() not in repr(keys)
    assert repr(keys.key) not in f"{keys} {keys!r} {(keys,)}"


def test_a_clock_set_back_over_the_change_keeps_the_key(anonymiser: Anonymiser) -> None:
    after = anonymiser.device(MAC, BRUSSELS, at("2026-03-06T04:01"))
    assert anonymiser.device(MAC, BRUSSELS, at("2026-03-06T03:58")) == after


def test_a_clock_that_was_years_ahead_does_not_keep_its_key_until_then(
    anonymiser: Anonymiser,
) -> None:
    wrong = anonymiser.device(MAC, BRUSSELS, at("2036-03-06T12:00"))
    right = [anonymiser.device(MAC, BRUSSELS, at(f"2026-03-{day}T12:00")) for day in ("06", "08")]
    assert len({wrong.key, *(device.key for device in right)}) == 3


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-07-01"])
def test_the_change_is_at_four_by_the_clock_on_the_wall_whatever_the_season(day: str) -> None:
    four = at(f"{day}T04:00")
    assert key_day(four, BRUSSELS) == date.fromisoformat(day)
    assert key_day(four - 1, BRUSSELS) == date.fromisoformat(day) - timedelta(days=1)


ZONES = st.sampled_from(
    ["Europe/Brussels", "Indian/Reunion", "Atlantic/Azores", "America/Nuuk", "Australia/Lord_Howe",
     "Antarctica/Casey", "Asia/Gaza", "Pacific/Apia", "America/Scoresbysund"]
).map(ZoneInfo)  # fmt: skip


@given(
    zone=ZONES,
    ms=st.integers(at("1990-01-01T00:00"), at("2040-01-01T00:00")),
    later=st.integers(0, 40 * 3_600_000),
)
def test_a_key_day_never_comes_twice(zone: ZoneInfo, ms: int, later: int) -> None:
    assert key_day(ms, zone) <= key_day(ms + later, zone)
    local = datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date()
    assert abs(key_day(ms, zone) - local) <= timedelta(days=2)
