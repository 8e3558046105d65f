"""A deployment that is right, for tests to break one thing of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from config.loader import load
from config.problems import ConfigError

RIGHT = {
    "spotwatch.yaml": (
        "city: Havremont\n"
        "timezone: Europe/Brussels\n"
        "snmp:\n"
        "  credentials:\n"
        "    default:\n"
        "      community: ${SPOTWATCH_COMMUNITY}\n"
    ),
    "sites.csv": "site,kind\nbib,library\nparc,park\n",
    "access_points.csv": "ap,site,source,host\nbib-1,bib,snmp,192.0.2.1\nparc-1,parc,mqtt,\n",
}
COMMUNITY = "Tr0ubadour-community"

Write = Callable[..., Path]
"""Writes the right files, with some (name without its dot: content) put in place or added."""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.setenv("SPOTWATCH_COMMUNITY", COMMUNITY)

    def write_files(files: dict[str, str | bytes | None] | None = None) -> Path:
        for name, content in {**RIGHT, **(files or {})}.items():
            path = tmp_path / name
            if content is None:
                path.unlink(missing_ok=True)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_bytes(content.encode())
        return tmp_path

    return write_files


Told = Callable[[Path], list[str]]


@pytest.fixture
def told() -> Told:
    """What loading a folder tells, with the files' names without the folder."""

    def problems_of(folder: Path) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(folder)
        return [
            str(problem).replace(f"{folder}/", "").replace(str(folder), ".")
            for problem in caught.value.problems
        ]

    return problems_of
