"""A secret comes from the environment or a file, and is printed nowhere."""

import copy
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.loader import load
from config.problems import ConfigError
from config.secrets import Vault
from config.settings import CommunityCredential, Settings, UserCredential
from tests.config.conftest import COMMUNITY, Told, Write

NO_AP = "ap,site,source\n"


def with_community(written: str) -> dict[str, str | bytes | None]:
    text = (
        "city: x\ntimezone: Europe/Brussels\nsnmp:\n  credentials:\n    default:\n"
        f"      community: {written}\n"
    )
    return {"spotwatch.yaml": text, "access_points.csv": NO_AP}


def community(folder: Path) -> str:
    credential = load(folder).settings.snmp.credentials["default"]
    assert isinstance(credential, CommunityCredential)
    return credential.community.get_secret_value()


def test_a_secret_comes_from_the_environment(write: Write) -> None:
    assert community(write(with_community("${SPOTWATCH_COMMUNITY}"))) == COMMUNITY


@pytest.mark.parametrize(
    "content", [b"s3cret", b"s3cret\n", b"s3cret\r\n", b"\xef\xbb\xbfs3cret\n"]
)
def test_a_secret_comes_from_a_file_beside_the_settings(write: Write, content: bytes) -> None:
    folder = write({**with_community("file:community.txt"), "community.txt": content})
    assert community(folder) == "s3cret"


def test_spaces_in_a_secret_are_part_of_it(write: Write) -> None:
    folder = write({**with_community("file:community.txt"), "community.txt": " two words \n"})
    assert community(folder) == " two words "


def test_an_absolute_path_stays_as_it_is(
    write: Write, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("run") / "community"
    path.write_text("s3cret")
    assert community(write(with_community(f"file:{path}"))) == "s3cret"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("hunter2-literal", "a secret may not stand in the file itself; allowed: ${NAME_OF_AN_"),
        ("pre${SPOTWATCH_COMMUNITY}", "a secret may not stand in the file itself"),
        ("$SPOTWATCH_COMMUNITY", "a secret may not stand in the file itself"),
        ("12345678", "a secret may not stand in the file itself"),
        ("[hunter2-literal]", "a secret may not stand here; allowed: ${NAME_OF_AN_ENVIRONMENT_VAR"),
        ("{hunter2-literal: 1}", "a secret may not stand here"),
        ("${SPOTWATCH_NOT_SET}", "the environment variable SPOTWATCH_NOT_SET is not set"),
        ("${SPOTWATCH_EMPTY}", "the environment variable SPOTWATCH_EMPTY is empty"),
        ("file:nowhere.txt", "there is no file nowhere.txt; the path is relative to the deploy"),
        ("file:empty.txt", "the file empty.txt is empty"),
        ("file:two.txt", "the file two.txt holds 2 lines; it must hold one"),
        ("file:latin.txt", "the file latin.txt is not UTF-8 text"),
        ("file:folder", "the file folder cannot be read: Is a directory"),
        ('"file:a\\0b"', "cannot be read: its name is not one of a file"),
        ("", "is missing: the read community of the devices"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told_without_telling_it(
    write: Write, told: Told, monkeypatch: pytest.MonkeyPatch, written: str, problem: str
) -> None:
    monkeypatch.setenv("SPOTWATCH_EMPTY", " ")
    folder = write(
        {
            **with_community(written),
            "empty.txt": "\n",
            "two.txt": "hunter2-literal\nhunter2-literal\n",
            "latin.txt": "hunter2-literal-é".encode("latin-1"),
        }
    )
    (folder / "folder").mkdir()
    (line,) = told(folder)
    assert line.startswith("spotwatch.yaml:6: snmp.credentials.default.community: ")
    assert problem in line
    assert "hunter2-literal" not in line
    assert "12345678" not in line


def test_a_short_pass_phrase_is_refused_without_telling_it(write: Write, told: Told) -> None:
    text = (
        "city: x\ntimezone: Europe/Brussels\nsnmp:\n  credentials:\n    default:\n"
        "      version: 3\n      user: u\n      auth_key: file:key.txt\n"
    )
    (line,) = told(
        write({"spotwatch.yaml": text, "access_points.csv": NO_AP, "key.txt": "hunter2"})
    )
    where, _, what = line.partition("auth_key: ")
    assert where == "spotwatch.yaml:8: snmp.credentials.default."
    assert what == "the secret is too short; SNMP v3 asks for 8 characters"


ALL_SECRETS = """
city: x
timezone: Europe/Brussels
snmp:
  credentials:
    default:
      community: ${SPOTWATCH_COMMUNITY}
    v3:
      version: 3
      user: u
      auth_key: file:auth.txt
      priv_key: file:priv.txt
mqtt:
  host: broker
  username: u
  password: file:password.txt
"""
SECRETS = (COMMUNITY, "auth-hunter2", "priv-hunter2", "mqtt-hunter2")
SECRET_FILES = {
    "spotwatch.yaml": ALL_SECRETS,
    "auth.txt": "auth-hunter2",
    "priv.txt": "priv-hunter2",
    "password.txt": "mqtt-hunter2",
}


def test_a_secret_set_by_code_is_masked_too() -> None:
    credential = CommunityCredential.model_validate({"community": COMMUNITY})
    assert credential.community.get_secret_value() == COMMUNITY
    assert COMMUNITY not in repr(credential) + credential.model_dump_json()


def assert_masked(text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text]


def test_secrets_are_there_and_print_masked(write: Write) -> None:
    deployment = load(write({**SECRET_FILES}))
    settings = deployment.settings
    user = settings.snmp.credentials["v3"]
    assert isinstance(user, UserCredential)
    assert user.auth_key is not None
    assert user.priv_key is not None
    assert settings.mqtt is not None
    assert settings.mqtt.password is not None
    found = (user.auth_key, user.priv_key, settings.mqtt.password)
    assert tuple(secret.get_secret_value() for secret in found) == SECRETS[1:]
    for thing in (deployment, settings, settings.snmp, settings.mqtt, user, copy.copy(user)):
        assert_masked(repr(thing))
        assert_masked(str(thing))
        assert_masked(f"{thing}")
        assert_masked(thing.model_dump_json())
        assert_masked(repr(thing.model_dump()))
        assert "**********" in repr(thing)
    assert_masked(repr(pickle.loads(pickle.dumps(settings))))


def test_secrets_are_in_no_error_and_no_traceback(write: Write) -> None:
    """Of other mistakes beside the secrets; tracebacks here show every local variable."""
    folder = write(
        {
            **SECRET_FILES,
            "spotwatch.yaml": ALL_SECRETS + "  port: 99999\n  unknown: 1\nlangage: fr\n",
        }
    )
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert len(caught.value.problems) == 3
    assert_masked(str(caught.value))
    assert_masked(repr(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert_masked("".join(traceback.format_exception(caught.value)))


def test_what_pydantic_itself_prints_quotes_no_input() -> None:
    vault = Vault(Path(), {"X": COMMUNITY})
    data = {"city": "x", "timezone": "Europe/Brussels", "snmp": {"credentials": {"a": {}}}}
    data["snmp"] = {"credentials": {"a": {"community": COMMUNITY, "x": COMMUNITY}}}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(data, context=vault)
    assert_masked(str(caught.value))
    assert_masked(repr(vault))
