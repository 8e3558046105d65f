"""Mappings of other systems' files: every mistake at its line, the ready ones in order."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config.mapping import ColumnMapping, Figure, Up, load_mapping, ready_mappings
from config.problems import ConfigError

APS = ("library-1", "library-2", "parc-1")
Load = Callable[[str], ColumnMapping]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def reading(text: str) -> ColumnMapping:
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return load_mapping(str(path), APS)

    return reading


def told(load: Load, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [f"{p.line}: {p.key}: {p.message}" for p in caught.value.problems]


def test_a_wide_file_names_a_column_for_each_figure(load: Load) -> None:
    mapping = load(
        "time: Date\n"
        "time_format: '%d/%m/%Y %H:%M'\n"
        "timezone: Europe/Brussels\n"
        "ap: Device\n"
        "aps: {AP-12: library-1}\n"
        "fields:\n"
        "  clients: Associated\n"
        "  rx_bytes: {from: In kB, factor: 1000}\n"
        "  up: {from: State, up: [Online], down: [Offline], unknown: ['?']}\n"
    )
    assert not mapping.is_long
    assert mapping.aps == {"AP-12": "library-1"}
    assert mapping.fields.given() == {
        "clients": Figure.model_validate({"from": "Associated"}),
        "rx_bytes": Figure.model_validate({"from": "In kB", "factor": 1000}),
        "up": Up.model_validate({"from": "State", "up": ["online"], "down": ["offline"],
                                 "unknown": ["?"]}),
    }  # fmt: skip


def test_a_long_file_names_a_metric_for_each_figure(load: Load) -> None:
    text = "time: t\nap: h\nmetric: key\nvalue: v\nfields: {clients: sta.num, up: ping}\n"
    mapping = load(text)
    assert mapping.is_long
    assert {name: figure.source for name, figure in mapping.fields.given().items()} == {
        "clients": "sta.num",
        "up": "ping",
    }


RIGHT = "time: t\nap: a\nfields: {clients: c}\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["1: : is empty; it must hold at least time:, ap: and fields:"]),
        ("- t\n", ["1: : must hold keys and values, such as time: clock"]),
        (
            "time: t\nap: a\nfield: {clients: c}\n",
            [
                "1: fields: is missing: which column, or metric, holds what",
                "3: field: unknown key; did you mean 'fields'?; allowed: time, time_format, ",
            ],
        ),
        (
            "time: t\nap: a\nfields:\n  client: c\n  up: {from: s, on: [x]}\n  rx_bytes: [1]\n"
            "  tx_bytes: {from: b, factor: 0}\n  uptime_s: {factor: 2}\n",
            [
                "4: fields.client: unknown key; did you mean 'clients'?; allowed: up, clients, ",
                "5: fields.up.on: unknown key; did you mean 'down'?; allowed: from, ",
                "6: fields.rx_bytes: must be keys and values of their own",
                "7: fields.tx_bytes.factor: '0' is too small; it must be more than 0",
                "8: fields.uptime_s.from: is missing",
            ],
        ),
        ("time: t\nap: a\nfields: {}\n", ["3: fields: holds no figure; allowed: up, clients, "]),
        (
            "time: t\nap: a\nfields:\n  up: {from: s, up: [OK], down: [ok]}\n",
            ["4: fields.up.down: 'ok' is under up too; keep one of them"],
        ),
        (RIGHT + "metric: m\n", ["1: value: metric is given without value; a long file has both"]),
        (RIGHT + "value: m\n", ["4: value: value is given without metric; a long file has both"]),
        (
            "time: t\nap: a\nmetric: m\nvalue: v\nfields: {clients: x, uptime_s: x}\n",
            ["5: fields: clients and uptime_s are both from 'x'"],
        ),
        (RIGHT + "ap_pattern: '^(.+)-'\n", ["4: ap_pattern: '^(.+)-' has no group named ap; wr"]),
        (RIGHT + "ap_pattern: '('\n", ["4: ap_pattern: '(' is no regular expression: missing )"]),
        (RIGHT + "only: {c: '['}\n", ["4: only.c: '[' is no regular expression: unterminated"]),
        (RIGHT + "time_format: dd/mm\n", ["4: time_format: 'dd/mm' is no format of times; allow"]),
        (RIGHT + "time_format: '%Q'\n", ["4: time_format: '%Q' cannot be read as a time; allowed"]),
        (RIGHT + "time_format: '%H:%M'\n", ["4: time_format: '%H:%M' cannot be read as a time; "]),
        (RIGHT + "time_format: '%Y %Y'\n", ["4: time_format: '%Y %Y' cannot be read as a time; "]),
        (RIGHT + "time_format: '%d/%m/%Y %Z'\n", ["4: time_format: '%d/%m/%Y %Z' cannot be rea"]),
        (RIGHT + "timezone: Brussels\n", ["4: timezone: 'Brussels' is not a known time zone"]),
        (RIGHT + "align_seconds: -1\n", ["4: align_seconds: '-1' is too small; it must be at lea"]),
        (
            RIGHT + "aps:\n  AP-12: library-1\n  AP-13: libary-2\n",
            ["6: aps.AP-13: 'libary-2' is not in access_points.csv; did you mean 'library-2'?"],
        ),
        ("like: zabix\n", ["1: like: 'zabix' is no ready mapping; did you mean 'zabbix'?; allow"]),
    ],
)  # fmt: skip
def test_every_mistake_is_told_at_its_line(load: Load, text: str, lines: list[str]) -> None:
    said = told(load, text)
    assert len(said) == len(lines)
    for line, expected in zip(said, lines, strict=True):
        assert line.startswith(expected)


def test_the_ready_ones_are_right() -> None:
    assert ready_mappings() == ("librenms", "zabbix")
    for name in ready_mappings():
        assert load_mapping(name, APS).fields.given()


def test_ones_own_goes_over_a_ready_one_figure_by_figure(load: Load) -> None:
    mapping = load("like: zabbix\nalign_seconds: 60\nfields: {clients: sta}\naps: {x: parc-1}\n")
    ready = load_mapping("zabbix", APS)
    assert (mapping.align_seconds, mapping.aps) == (60, {"x": "parc-1"})
    assert mapping.fields.up == ready.fields.up
    assert mapping.fields.clients == Figure.model_validate({"from": "sta"})
    assert mapping.time == ready.time


def test_a_file_of_ones_own_goes_before_a_ready_one_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("zabbix").write_text(RIGHT, encoding="utf-8")
    assert load_mapping("zabbix", APS).time == "t"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("libre_nms", "libre_nms:1: there is no such file; did you mean 'librenms'?; allowed: a Y"),
        ("/", "/:1: is a folder; allowed: a YAML file, or one of: librenms, zabbix"),
    ],
)
def test_a_name_that_is_none_is_told(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_mapping(name, APS)
    assert str(caught.value).startswith(message)
