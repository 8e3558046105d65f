"""Profiles are data: what is wrong in them is told by file and line."""

from pathlib import Path

import pytest

from collectors.snmp.profiles import Profiles, candidates, load_profiles
from config.problems import ConfigError

NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"

MINE = """\
title: Mine
device: ap
match:
  - {sys_object_id: 1.3.6.1.4.1.32473.1}
scalars:
  clients_total: {oid: 1.3.6.1.4.1.32473.1.1.0, kind: gauge}
"""


def problems(folder: Path, text: str, name: str = "mine.yaml") -> list[str]:
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profiles(folder)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_a_deployment_adds_a_profile(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    profiles = load_profiles(tmp_path)
    assert profiles["mine"].title == "Mine"
    assert "generic" in profiles


def test_a_deployment_without_a_folder_has_the_built_in_ones(tmp_path: Path) -> None:
    assert load_profiles(tmp_path / "missing").keys() == load_profiles().keys()


def test_a_profile_of_ones_own_may_extend_the_one_it_stands_in_for(tmp_path: Path) -> None:
    (tmp_path / "unifi.yaml").write_text(
        "extends: [unifi]\nmatch:\n  - {sys_object_id: 1.3.6.1.4.1.41112}\n"
        "tables:\n  vaps:\n    leave_out: {ssid: '^staff$'}\n",
        encoding="utf-8",
    )
    unifi = load_profiles(tmp_path)["unifi"]
    assert unifi.tables["vaps"].leave_out == {"ssid": "^staff$"}
    assert "clients" in unifi.tables["vaps"].columns
    assert [m.has for m in unifi.match] == [None]


def test_later_parents_and_the_profile_itself_come_last(tmp_path: Path) -> None:
    (tmp_path / "_a.yaml").write_text("title: A\nscalars:\n  name: {oid: 1.1, kind: text}\n")
    (tmp_path / "_b.yaml").write_text("title: B\nscalars:\n  name: {oid: 1.2, kind: text}\n")
    (tmp_path / "one.yaml").write_text("extends: [_a, _b]\ndevice: ap\n")
    (tmp_path / "two.yaml").write_text("extends: [_b, _a]\ndevice: ap\ntitle: Two\n")
    profiles = load_profiles(tmp_path)
    assert (profiles["one"].title, profiles["one"].scalars["name"][0].oid) == ("B", "1.2")
    assert (profiles["two"].title, profiles["two"].scalars["name"][0].oid) == ("Two", "1.1")
    assert not {"_a", "_b"} & profiles.keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MINE + "vendor: X\n", "mine.yaml:7: vendor: unknown key"),
        (MINE + "name: X\n", "mine.yaml:7: name: unknown key"),
        (
            MINE.replace("kind: gauge", "kind: gauge, unit: x"),
            "mine.yaml:6: scalars.clients_total.unit: unknown key",
        ),
        (
            MINE.replace("clients_total:", "klients:"),
            "mine.yaml:6: scalars.klients: unknown; allowed: ap_count, channel_utilisation,",
        ),
        (
            MINE.replace("gauge", "counter32"),
            "mine.yaml:6: scalars.clients_total: kind 'counter32' does not fit; allowed: gauge",
        ),
        (MINE.replace("gauge", "gaug"), "mine.yaml:6: scalars.clients_total.kind: Input should be"),
        (
            MINE.replace("32473.1.1.0", "32473.x"),
            "mine.yaml:6: scalars.clients_total.oid: '1.3.6.1.4.1.32473.x' is not an OID",
        ),
        (
            MINE.replace("{sys_object_id: 1.3.6.1.4.1.32473.1}", "{sys_descr: x}"),
            "mine.yaml:4: match[0].sys_object_id: Field required",
        ),
        (
            MINE.replace(".32473.1}", ".32473.1, sys_descr: '('}"),
            "mine.yaml:4: match[0].sys_descr: not a regular expression",
        ),
        (MINE.replace("device: ap", "device: switch"), "mine.yaml:2: device: Input should be 'ap'"),
        (MINE + "extends: [nothing]\n", "mine.yaml:7: extends: 'nothing' is no profile; allowed:"),
        (MINE + "extends: generic\n", "mine.yaml:7: extends: must be a list"),
        (MINE + "title: Twice\n", "mine.yaml:7: title: is already set on line 1"),
        ("", "mine.yaml:1: is empty; it must hold at least title: and device:"),
        ("title: 'x\n", "mine.yaml:1: a quote is never closed"),
        (
            "title: T\ndevice: controller\ntables:\n  aps:\n    index: {ap: mac}\n    columns:\n"
            "      up: {oid: 1.1, kind: enum, map: {1: up, 2: off}}\n",
            "mine.yaml:7: tables.aps.columns.up.map: off: unknown; allowed: down, unknown, up",
        ),
        (
            "title: T\ndevice: controller\ntables:\n  aps:\n    index: {ap: mac}\n    columns:\n"
            "      up: {oid: 1.1, kind: enum}\n",
            "mine.yaml:7: tables.aps.columns.up: an enum needs a map",
        ),
        (
            "title: T\ndevice: ap\ntables:\n  vaps:\n    index: {vap: int}\n"
            "    leave_out: {essid: x}\n    columns:\n      clients: {oid: 1.1, kind: gauge}\n",
            "mine.yaml:4: tables.vaps: 'essid' is no column and no index part; allowed: clients,",
        ),
        (
            "title: T\ndevice: ap\ntables:\n  vaps:\n    index: {vap: int}\n    columns:\n"
            "      rx_bytes: {oid: 1.1, kind: counter64}\n",
            "mine.yaml:6: tables.vaps.columns: rx_bytes and tx_bytes need the same number",
        ),
        (
            "title: T\ndevice: ap\ntables:\n  clients:\n    index: {vap: int}\n    columns:\n"
            "      clients: {oid: 1.1, kind: gauge}\n",
            "mine.yaml:4: tables.clients",
        ),
    ],
)
def test_a_mistake_is_told_by_file_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    told = problems(tmp_path, text)
    assert len(told) == 1, told
    assert told[0].startswith(expected)


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("titel: x\n", encoding="utf-8")
    told = problems(tmp_path, MINE + "vendor: X\n")
    assert any(line.startswith("mine.yaml:7: vendor: unknown key") for line in told)
    assert any(line.startswith("other.yaml:1: titel: unknown key") for line in told)


def test_a_mistake_in_a_mixin_is_told_once_and_there(tmp_path: Path) -> None:
    (tmp_path / "_mixin.yaml").write_text("scalars:\n  nam: {oid: 1.1, kind: text}\n")
    (tmp_path / "other.yaml").write_text(MINE + "extends: [_mixin]\n", encoding="utf-8")
    told = problems(tmp_path, MINE + "extends: [_mixin]\n")
    assert len(told) == 1
    assert told[0].startswith("_mixin.yaml:2: scalars.nam: unknown")


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("title: A\ndevice: ap\nextends: [b]\n")
    told = problems(tmp_path, "title: B\ndevice: ap\nextends: [a]\n", name="b.yaml")
    assert any("extends itself" in line for line in told)


def test_an_oid_may_hold_quoted_text(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE.replace("32473.1.1.0", '32473."ab".0'))
    cell = load_profiles(tmp_path)["mine"].scalars["clients_total"][0]
    assert cell.oid == "1.3.6.1.4.1.32473.2.97.98.0"


@pytest.mark.parametrize(
    ("sys_object_id", "sys_descr", "expected"),
    [
        ("1.3.6.1.4.1.25053.3.1.11.1", "SmartZone", ["ruckus-smartzone", "ruckus-unleashed"]),
        ("1.3.6.1.4.1.25053.3.1.5.15", "ZD1200",
         ["ruckus-unleashed", "ruckus-zonedirector", "ruckus-unleashed"]),
        ("1.3.6.1.4.1.99", "x", []),
        ("1.3.6.1.4.1.149881", "not below 14988.1", []),
        ("1.3.6.1.4.1.14988.1", None, ["mikrotik"]),
        (None, "UAP-AC-Pro", []),
        ("1.3.6.1.4.1.890.1.15", "NWA1123", ["zyxel-nwa"]),
        ("1.3.6.1.4.1.890.1.15", "NXC2500", []),
    ],
)  # fmt: skip
def test_the_most_specific_match_comes_first(
    profiles: Profiles, sys_object_id: str | None, sys_descr: str | None, expected: list[str]
) -> None:
    found = [profile.name for profile, _ in candidates(profiles, sys_object_id, sys_descr)]
    assert found == expected


def test_a_description_beats_a_probe_at_a_shared_identity(profiles: Profiles) -> None:
    profile, match = next(candidates(profiles, NET_SNMP, "UAP-nanoHD 5.43.36.12724"))
    assert (profile.name, match.has) == ("unifi", None)


def test_only_the_fallback_fits_nothing_by_itself(profiles: Profiles) -> None:
    assert [p.name for p in profiles.values() if not p.match] == ["generic"]
