"""The JSON schema of `spotwatch.yaml`, for editors; `python -m config.schema` writes it anew."""

from pathlib import Path
from typing import Any, Final

import orjson

from config.settings import Settings

SCHEMA_FILE: Final = Path(__file__).with_name("spotwatch.schema.json")


def json_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, generated from the models."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Generated from config/settings.py by: python -m config.schema",
        **Settings.model_json_schema(),
        "title": "spotwatch.yaml",
    }


def schema_text() -> str:
    """The schema as the committed file holds it."""
    return orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2).decode() + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
