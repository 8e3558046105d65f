"""`spotwatch.yaml`: what is read, and where and how each mistake is told."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from config.loader import load
from config.problems import ConfigError, Problem
from config.secrets import Vault
from config.settings import InfluxdbStore, Settings
from config.translate import mistakes
from config.yamlfile import read_yaml
from tests.config.conftest import Told, Write

CITY = "city: Havremont\ntimezone: Europe/Brussels\n"
SNMP_V3 = (
    "snmp:\n  credentials:\n    default:\n      version: 3\n      user: spotwatch\n"
    "      auth_key: ${SPOTWATCH_COMMUNITY}\n"
)
INFLUXDB = (
    "store:\n  kind: influxdb\n  url: https://influx.city.example:8086/\n  org: city\n"
    "  token: file:token"
)
NO_AP = "ap,site,source\n"


def load_settings(write: Write, text: str) -> Settings:
    return load(write({"spotwatch.yaml": text, "access_points.csv": NO_AP})).settings


def test_two_settings_are_enough(write: Write) -> None:
    found = load_settings(write, CITY)
    assert (found.city, found.timezone, found.country) == ("Havremont", "Europe/Brussels", "BE")
    assert found.mqtt is None
    assert found.snmp.poll_seconds == 300


def test_a_key_without_a_value_keeps_its_default(write: Write) -> None:
    found = load_settings(write, CITY + "snmp:\n  poll_seconds:\nmqtt:\nlanguage: ~\n")
    assert found.snmp.poll_seconds == 300
    assert found.mqtt is None
    assert found.language == "en"


def test_a_text_is_never_taken_for_another_kind(write: Write) -> None:
    """YAML alone would read Norway as `false`, a name of digits as a number, a version too."""
    found = load_settings(
        write,
        "city: 1040\ntimezone: Europe/Oslo\ncountry: NO\nmqtt: {host: b, client_id: on}\n"
        + SNMP_V3,
    )
    assert (found.city, found.country) == ("1040", "NO")
    assert found.mqtt is not None
    assert found.mqtt.client_id == "on"
    assert found.snmp.credentials["default"].version == "3"


@pytest.mark.parametrize("yes", ["true", "yes", "True", "oui", "ja", "1"])
def test_yes_is_yes_in_the_words_of_the_cities(write: Write, yes: str) -> None:
    found = load_settings(write, CITY + f"mqtt:\n  host: broker\n  tls: {yes}\n")
    assert found.mqtt is not None
    assert found.mqtt.tls is True


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: is empty; it must hold at least city: and timezone:"),
        ("# nothing yet\n", "1: is empty"),
        ("- city\n", "1: must hold keys and values"),
        ("city\n", "1: must hold keys and values"),
        ("timezone: Europe/Brussels\n", "1: city: is missing"),
        ("timezone: Europe/Brussels\ncity:\n", "2: city: is missing"),
        (
            "city: x\ntimezone: Europe/Brusels\n",
            "2: timezone: 'Europe/Brusels' is not a known time zone; did you mean 'Europe/Br",
        ),
        ("city: x\ntimezone: ../../etc/passwd\n", "2: timezone: '../../etc/passwd' is not a known"),
        ("city: a: b\n", "1: a ':' where none can stand"),
        ("city: a\nsnmp:\n  retries: 2\n poll_seconds: 60", "4: does not line up"),
        ("a: " + "[" * 5000, "1: is nested too deeply"),
    ],
)
def test_a_file_that_lacks_what_it_needs_is_told(
    write: Write, told: Told, text: str, problem: str
) -> None:
    folder = write({"spotwatch.yaml": text, "access_points.csv": NO_AP})
    assert any(line.startswith(f"spotwatch.yaml:{problem}") for line in told(folder)), told(folder)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("langage: fr", "3: langage: unknown key; did you mean 'language'?; allowed: city, "),
        ("language: FR", "3: language: 'FR' is not one of those allowed; did you mean 'fr'?; allo"),
        ("country: XX", "3: country: 'XX' is not a known country; allowed: an ISO 3166 code"),
        ("city: y", "3: city: is already set on line 1; keep one of them"),
        ("language: !french fr", "3: language: tags (!name) are not taken"),
        ("language: \x07", "3: holds the character '\\x07'"),
        ("? [a, b]\n: c", "3: a key must be a word"),
        ("---\ncity: y", "3: a second document begins here"),
        ('language: "fr', "3: a quote is never closed"),
        (r'language: "C:\data"', r"3: within double quotes a \ begins an escape"),
        ("mqtt: {host: b", "3: a bracket is not closed"),
        ("mqtt: [host", "3: a bracket is not closed"),
        ("snmp:\n  retries: 1\n  retries: 2", "5: snmp.retries: is already set on line 4"),
        ("snmp:\n  retries: two", "4: snmp.retries: 'two' is not allowed; it must be a whole num"),
        ("snmp:\n  retries: 2.5", "4: snmp.retries: '2.5' is not allowed; it must be a whole num"),
        ("snmp:\n  retries: 99", "4: snmp.retries: '99' is too large; it must be at most 10"),
        ("snmp:\n  retries: [1]", "4: snmp.retries: must be a whole number"),
        ("snmp:\n  timeout_s: 0", "4: snmp.timeout_s: '0' is too small; it must be more than 0"),
        ("snmp:\n  timeout_s: .nan", "4: snmp.timeout_s: '.nan' is not allowed; it must be a num"),
        ("snmp:\n  timeout_s: nan", "4: snmp.timeout_s: 'nan' is not allowed; it must be a number"),
        ("snmp: fast", "3: snmp: must be keys and values of their own"),
        ("snmp:\n\tretries: 2\n\tpoll_seconds: 60", "4: is indented with a tab; YAML takes spaces"),
        ("snmp:\n\tretries: 2\n\tpoll_seconds: 60", "5: is indented with a tab; YAML takes spaces"),
        ("snmp:\n  retries: 2\n poll_seconds: 60", "5: does not line up"),
        ("snmp: &a\n  credentials: *a", "4: aliases (*name) are not taken"),
        ("mqtt:\n  port: 1883", "3: mqtt.host: is missing: name or address of the broker"),
        ("mqtt:\n  host: mqtt://b", "4: mqtt.host: 'mqtt://b' is neither a host name nor an IP"),
        ("mqtt:\n  host: 10.0.0.300", "4: mqtt.host: '10.0.0.300' is neither a host name nor an"),
        ("mqtt:\n  host: b\n  base_topic: a/#", "5: mqtt.base_topic: 'a/#' is not the beginning"),
        ("mqtt:\n  host: b\n  ca_file: ca.pem", "5: mqtt.ca_file: is of no use without tls"),
        ("mqtt:\n  host: b\n  tls: yes\n  ca_file: ca.pem", "6: mqtt.ca_file: there is no file "),
        ("mqtt:\n  host: b\n  tls: maybe", "5: mqtt.tls: 'maybe' is neither yes nor no"),
        ("underuse:\n  ratio: 1.5", "4: underuse.ratio: '1.5' is too large; it must be at most 1"),
        (
            "store:\n  kind: influx",
            "4: store.kind: 'influx' is not one of those allowed; did you mean 'influxdb'?; "
            "allowed: sqlite, influxdb",
        ),
        ("store:\n  kind: [sqlite]", "4: store.kind: must be one of: sqlite, influxdb"),
        ("store: influxdb", "3: store: must be keys and values of their own"),
        ("store:\n  url: x", "4: store.url: unknown key; allowed: kind, path"),
        ("store:\n  kind: influxdb\n  path: x", "5: store.path: unknown key; allowed: kind, url, "),
        (
            f"{INFLUXDB}\n  bucket: _raw",
            "8: store.bucket: '_raw' cannot name a bucket; allowed: le",
        ),
        (f"{INFLUXDB}\n  bucket: {'b' * 57}", "8: store.bucket: 'bbb"),
        (
            f"{INFLUXDB}\n  raw_days: 7",
            "8: store.raw_days: '7' is too small; it must be at least 8",
        ),
        (
            "store:\n  kind: influxdb\n  url: h:8086",
            "5: store.url: 'h:8086' is not the address of a",
        ),
        (
            "store:\n  kind: influxdb\n  url: http://",
            "5: store.url: 'http://' is not the address of",
        ),
        (
            "store:\n  kind: influxdb\n  url: http://h:0x1",
            "5: store.url: 'http://h:0x1' is not the",
        ),
        (
            "store:\n  kind: influxdb\n  url: http://u:p@h",
            "5: store.url: holds a user before the @",
        ),
        ("store:\n  kind: influxdb\n  token: abc", "5: store.token: a secret may not stand in the"),
    ],
)
def test_a_mistake_is_told_on_its_own_line(
    write: Write, told: Told, text: str, problem: str
) -> None:
    folder = write({"spotwatch.yaml": f"{CITY}{text}\n", "access_points.csv": NO_AP})
    assert any(line.startswith(f"spotwatch.yaml:{problem}") for line in told(folder)), told(folder)


def test_a_token_of_influxdb_is_read_and_never_shown(write: Write) -> None:
    (write() / "token").write_text("hunter2-of-influxdb\n")
    folder = write({"spotwatch.yaml": f"{CITY}{INFLUXDB}\n", "access_points.csv": NO_AP})
    settings = load(folder).settings
    assert isinstance(settings.store, InfluxdbStore)
    assert settings.store.url == "https://influx.city.example:8086"
    assert settings.store.token.get_secret_value() == "hunter2-of-influxdb"
    assert (settings.store.raw_bucket, settings.store.usage_bucket) == (
        "spotwatch_raw",
        "spotwatch_usage",
    )
    assert "hunter2" not in repr(settings) + settings.model_dump_json()


def test_a_token_that_nobody_made_yet_is_told_except_to_who_makes_it(
    write: Write, told: Told
) -> None:
    folder = write({"spotwatch.yaml": f"{CITY}{INFLUXDB}\n", "access_points.csv": NO_AP})
    (problem,) = told(folder)
    assert problem.startswith("spotwatch.yaml:7: store.token: there is no file token")
    pending = load(folder, secrets_pending=True).settings
    assert isinstance(pending.store, InfluxdbStore)
    assert pending.store.token.get_secret_value() == ""


def test_secrets_that_are_pending_may_be_missing_not_wrong(write: Write) -> None:
    credentials = (
        "snmp:\n  credentials:\n    a: {version: 3, user: u, auth_key: 'file:none'}\n"
        "    b: {community: '${SPOTWATCH_NO_SUCH_VARIABLE}'}\n"
    )
    folder = write({"spotwatch.yaml": CITY + credentials, "access_points.csv": NO_AP})
    load(folder, secrets_pending=True)
    (folder / "none").write_text("short")
    with pytest.raises(ConfigError, match="the secret is too short"):
        load(folder, secrets_pending=True)


@pytest.mark.parametrize(
    ("credential", "problem"),
    [
        ("{comunity: x}", "5: snmp.credentials.a.comunity: unknown key; did you mean 'community'?"),
        ("{version: 2c}", "5: snmp.credentials.a.community: is missing"),
        ("{version: 4}", "5: snmp.credentials.a.version: '4' is not one of those allowed; all"),
        ("{version: [3]}", "5: snmp.credentials.a.version: must be one of: 1, 2c, 3"),
        ("{version: 3}", "5: snmp.credentials.a.user: is missing"),
        (
            "\n      version: 3\n      user: u\n      comunity: x",
            "8: snmp.credentials.a.comunity: unknown key; allowed: version, user, auth_protocol",
        ),
        (
            "\n      version: 3\n      user: u\n      priv_key: '${SPOTWATCH_COMMUNITY}'",
            "8: snmp.credentials.a.priv_key: needs an auth_key beside it",
        ),
        ("public", "5: snmp.credentials.a: must be keys and values of their own"),
    ],
)
def test_a_credential_is_judged_by_the_version_that_was_meant(
    write: Write, told: Told, credential: str, problem: str
) -> None:
    text = f"{CITY}snmp:\n  credentials:\n    a: {credential}\n"
    folder = write({"spotwatch.yaml": text, "access_points.csv": NO_AP})
    assert any(line.startswith(f"spotwatch.yaml:{problem}") for line in told(folder)), told(folder)


def test_a_latin_1_settings_file_is_told_by_its_line(write: Write, told: Told) -> None:
    text = "timezone: Europe/Brussels\ncity: Liège\n".encode("latin-1")
    (problem,) = told(write({"spotwatch.yaml": text, "access_points.csv": NO_AP}))
    assert problem.startswith("spotwatch.yaml:2: is not UTF-8 (byte 0xe8")


def test_a_flow_mapping_with_a_bare_reference_is_told_what_to_do(write: Write, told: Told) -> None:
    text = CITY + "snmp: {credentials: {default: {community: ${X}}}}\n"
    (problem,) = told(write({"spotwatch.yaml": text, "access_points.csv": NO_AP}))
    assert problem.startswith("spotwatch.yaml:3: ")
    assert "put ${NAME} in quotes" in problem


JARGON = (
    "Input should",
    "validation error",
    "pydantic",
    "Value error",
    "_type",
    "_parsing",
    "str_",
)

scalars = st.sampled_from(
    ["", "x", "-1", "0", "2", "2.5", "1e9", "nan", "true", "3", "9" * 400, "é", "${NOT_SET}"]
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["host", "default", "version", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
PATHS = [
    (),
    *((name,) for name in Settings.model_fields),
    *(
        (section, name)
        for section in ("store", "snmp", "mqtt", "usage", "underuse")
        for name in (
            *("kind", "path", "poll_seconds", "timeout_s", "credentials", "host", "port", "tls"),
            *("url", "org", "token", "bucket", "raw_days"),
            *("client_id", "password", "ca_file", "base_topic", "grace_seconds", "ratio"),
        )
    ),
    ("snmp", "credentials", "default", "community"),
    ("snmp", "credentials", "default", "version"),
    ("snmp", "credentials", "default", "auth_key"),
]


@settings(max_examples=400, deadline=None)
@given(path=st.sampled_from(PATHS), value=values)
def test_no_mistake_is_told_in_jargon(path: tuple[str, ...], value: object) -> None:
    data: dict[str, object] = {"city": "x", "timezone": "Europe/Brussels"}
    where: dict[str, object] = data
    for key in path[:-1]:
        where = where.setdefault(key, {})  # type: ignore[assignment]
    where[path[-1] if path else "anything"] = value
    try:
        Settings.model_validate(data, context=Vault(Path(), {}))
    except ValidationError as error:
        for mistake in mistakes(error, Settings):
            assert not any(word in mistake.message for word in JARGON), mistake
            assert mistake.keys[: len(path[:1])] == path[:1] or not path


keys = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=5)


@settings(deadline=None)
@given(
    data=st.dictionaries(
        keys,
        st.recursive(
            st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8),
            lambda inner: (
                st.dictionaries(keys, inner, min_size=1, max_size=3)
                | st.lists(inner, min_size=1, max_size=3)
            ),
            max_leaves=8,
        ),
        min_size=1,
    )
)
def test_yaml_is_read_as_it_was_written_and_each_key_has_its_line(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    text = yaml.safe_dump(data, default_style='"', allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    problems: list[Problem] = []
    found = read_yaml(path, problems)
    assert problems == []
    assert found is not None
    assert found.data == data
    lines = text.splitlines()
    for way, line in found.lines.items():
        mark = "- " if isinstance(way[-1], int) else f'"{way[-1]}"'
        assert mark in lines[line - 1]


def test_the_right_files_are_right(write: Write) -> None:
    deployment = load(write())
    assert list(deployment.sites) == ["bib", "parc"]
    assert list(deployment.access_points) == ["bib-1", "parc-1"]
