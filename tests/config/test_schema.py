"""The schema that editors check `spotwatch.yaml` with says what the loader says."""

import re
from typing import Any

from config.schema import SCHEMA_FILE, json_schema, schema_text
from config.secrets import REFERENCE
from config.settings import Settings


def test_the_committed_schema_is_that_of_the_settings() -> None:
    committed = SCHEMA_FILE.read_text(encoding="utf-8")
    assert committed == schema_text(), "run: python -m config.schema"


def test_every_setting_is_described() -> None:
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    bare = [
        f"{section['title']}.{name}"
        for section in sections
        for name, setting in section["properties"].items()
        # A section whose description is that of its model leaves it there.
        if not setting.get("description")
        and not schema["$defs"][setting["$ref"].rpartition("/")[2]].get("description")
    ]
    assert bare == []
    assert schema["properties"].keys() == Settings.model_fields.keys()


def test_unknown_keys_are_refused_in_every_section() -> None:
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    assert [s["title"] for s in sections if s["additionalProperties"] is not False] == []


def test_secrets_are_references_in_the_schema() -> None:
    definitions: dict[str, Any] = json_schema()["$defs"]
    community = definitions["CommunityCredential"]["properties"]["community"]
    assert community["pattern"] == REFERENCE
    assert re.search(REFERENCE, "${SPOTWATCH_COMMUNITY}")
    assert re.search(REFERENCE, "file:secrets/community")
    assert not re.search(REFERENCE, "public")
    for section, key in (("UserCredential", "auth_key"), ("Mqtt", "password")):
        choices = definitions[section]["properties"][key]["anyOf"]
        assert {"type": "string", "pattern": REFERENCE} in choices
    assert "SecretStr" not in schema_text()
    assert '"format": "password"' not in schema_text()
