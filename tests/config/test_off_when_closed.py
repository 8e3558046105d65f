"""Sites that may be switched off while they are closed."""

from config.loader import load
from tests.config.conftest import Told, Write

SETTINGS = "city: Havremont\ntimezone: Europe/Brussels\noutages:\n  off_when_closed:\n"
SITES = "site,kind\nbib,library\nparc,park\n"


def files(*names: str) -> dict[str, str]:
    listed = "".join(f"    - {name}\n" for name in names)
    return {
        "spotwatch.yaml": SETTINGS + listed,
        "sites.csv": SITES,
        "access_points.csv": "ap,site,source\n",
    }


def test_they_are_named_by_id_or_by_kind(write: Write) -> None:
    found = load(write(files("bib", "school"))).settings.outages.off_when_closed
    assert found == ("bib", "school")


def test_what_is_neither_is_told_where_it_stands(write: Write, told: Told) -> None:
    assert told(write(files("library", "bob"))) == [
        "spotwatch.yaml:6: outages.off_when_closed[1]: 'bob' is neither a site of sites.csv nor a "
        "kind of site; did you mean 'bib'?"
    ]
