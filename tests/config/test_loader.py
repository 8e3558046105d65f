"""A deployment's folder as a whole: what is missing, what refers to nothing, everything at once."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import config
from config import references
from config.loader import FILES, load
from config.problems import ConfigError, did_you_mean
from tests.config.conftest import RIGHT, Told, Write

EXAMPLE = Path(config.__file__).parent / "example"


def test_the_example_loads_and_has_one_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOTWATCH_COMMUNITY", "any")
    deployment = load(EXAMPLE)
    assert len(deployment.sites) == 4
    aps = deployment.access_points.values()
    assert {ap.source for ap in aps} == {"snmp", "mqtt"}
    assert sum(ap.controller == "wlc-havremont" and ap.host is None for ap in aps) == 2
    assert list(deployment.controllers) == ["wlc-havremont"]
    assert deployment.candidate_places
    assert deployment.closures
    assert deployment.maintenance
    assert {holiday.kind for holiday in deployment.holidays} == {"public", "school"}
    assert deployment.settings.mqtt is not None
    assert {deployment.poll_seconds(ap) for ap in aps} == {60, 300, 600}


def test_the_example_names_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    first = (EXAMPLE / "spotwatch.yaml").read_text(encoding="utf-8").splitlines()[0]
    marker, _, schema = first.partition("$schema=")
    assert marker == "# yaml-language-server: "
    assert (EXAMPLE / schema).resolve() == EXAMPLE.parent / "spotwatch.schema.json"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, told: Told) -> None:
    (line,) = told(tmp_path / "nowhere")
    assert line.startswith(".:1: there is no such folder; allowed: a deployment's folder, which")
    file = tmp_path / "file"
    file.touch()
    assert told(file)[0].startswith(".:1: is a file; allowed: a deployment's folder")


def test_every_file_that_is_missing_is_told(tmp_path: Path, told: Told) -> None:
    assert [line.split(";")[0] for line in told(tmp_path)] == [
        "spotwatch.yaml:1: the file is missing",
        "sites.csv:1: the file is missing",
        "access_points.csv:1: the file is missing",
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("spotwatch.yml", "spotwatch.yaml:1: the file is missing; rename spotwatch.yml to spotwat"),
        ("Sites.CSV", "sites.csv:1: the file is missing; rename Sites.CSV to sites.csv"),
        ("closure.csv", "closure.csv:1: is not read; rename closure.csv to closures.csv"),
        ("Controllers.csv", "Controllers.csv:1: is not read; rename Controllers.csv to controll"),
    ],
)
def test_a_misspelt_name_of_a_file_is_told(
    write: Write, told: Told, name: str, problem: str
) -> None:
    right_name = problem.split(":", maxsplit=1)[0]
    folder = write({right_name: None, name: ""})
    assert [line for line in told(folder) if line.startswith(problem)]


def test_other_files_beside_are_none_of_our_business(write: Write) -> None:
    load(write({"sites-2025.csv": "", "closures_old.csv": "", "README.md": "", "budget.csv": ""}))


def test_a_folder_in_the_place_of_a_file_is_told(write: Write, told: Told) -> None:
    folder = write()
    (folder / "closures.csv").mkdir()
    assert told(folder) == ["closures.csv:1: cannot be read: is a folder; allowed: a text file"]


@pytest.mark.parametrize(
    ("access_points", "problem"),
    [
        ("ap,site,source\na,bibb,import\n", "2: site: no site 'bibb' in sites.csv; did you mean '"),
        ("ap,site,source\na,x9,import\n", "2: site: no site 'x9' in sites.csv; add it there"),
        ("ap,site,source\na,bib,snmp\n", "2: host: is empty, and so is controller; an AP with sou"),
        ("ap,site,source,controller\na,bib,snmp,wlc\n", "2: controller: 'wlc' has no row in contr"),
        ("ap,site,source,controller\na,bib,snmp,wlc-0\n", "did you mean 'wlc-1'?"),
        ("ap,site,source,host,credential\na,bib,snmp,h,oldd\n", "2: credential: no credential "
         "'oldd' under snmp: credentials: in spotwatch.yaml; did you mean 'old'?; there: def"),
        ("ap,site,source,credential\na,bib,mqtt,x9\n", "2: credential: no credential 'x9'"),
        # A row with another mistake is checked all the same.
        ("ap,site,source,mac\na,x9,import,zz\n", "2: site: no site 'x9'"),
        ("ap,site,source,port\na,bib,snmp,zz\n", "2: host: is empty"),
    ],
)  # fmt: skip
def test_what_refers_to_nothing_is_told(
    write: Write, told: Told, access_points: str, problem: str
) -> None:
    settings = str(RIGHT["spotwatch.yaml"])
    settings += "    old:\n      community: ${SPOTWATCH_COMMUNITY}\n"
    controllers = "controller,site,host\nwlc-1,bib,192.0.2.9\n"
    folder = write(
        {
            "spotwatch.yaml": settings,
            "access_points.csv": access_points,
            "controllers.csv": controllers,
        }
    )
    assert any(problem in line for line in told(folder)), told(folder)


def test_a_controller_of_an_unknown_site_or_credential_is_told(write: Write, told: Told) -> None:
    controllers = "controller,site,host,credential\nwlc,nowhere,192.0.2.9,secret\n"
    lines = told(write({"controllers.csv": controllers}))
    assert [line.partition(";")[0] for line in lines] == [
        "controllers.csv:2: site: no site 'nowhere' in sites.csv",
        "controllers.csv:2: credential: no credential 'secret' under snmp: credentials: in "
        "spotwatch.yaml",
    ]


NO_CREDENTIALS = "city: x\ntimezone: Europe/Brussels\n"


def test_the_default_credential_may_be_missing_where_nothing_is_polled(write: Write) -> None:
    aps = "ap,site,source,controller\na,bib,mqtt,gateway\nb,bib,import,\n"
    deployment = load(write({"spotwatch.yaml": NO_CREDENTIALS, "access_points.csv": aps}))
    assert deployment.settings.snmp.credentials == {}
    assert deployment.access_points["a"].controller == "gateway"


@pytest.mark.parametrize(
    ("files", "file"),
    [
        ({"access_points.csv": "ap,site,source,host\na,bib,snmp,192.0.2.1\n"}, "access_points.csv"),
        (
            {
                "access_points.csv": "ap,site,source,controller\na,bib,snmp,wlc\n",
                "controllers.csv": "controller,host\nwlc,192.0.2.9\n",
            },
            "controllers.csv",
        ),
    ],
)
def test_the_default_credential_is_asked_for_where_it_is_used(
    write: Write, told: Told, files: dict[str, str], file: str
) -> None:
    (line,) = told(write({"spotwatch.yaml": NO_CREDENTIALS, **files}))
    assert line.startswith(
        f"{file}:2: credential: no credential 'default' under snmp: credentials:"
    )
    assert line.endswith("there: none yet")


def test_a_profile_that_does_not_exist_is_told_where_profiles_are_known(write: Write) -> None:
    aps = "ap,site,source,host,profile\na,bib,snmp,h,unify\nb,bib,snmp,h,auto\nc,bib,snmp,h,\n"
    folder = write({"access_points.csv": aps})
    load(folder)
    with pytest.raises(ConfigError) as caught:
        load(folder, profiles=["unifi", "generic"])
    assert [(p.line, p.key, p.message) for p in caught.value.problems] == [
        (2, "profile", "no profile 'unify'; did you mean 'unifi'?; allowed: auto, generic, unifi")
    ]


def test_every_mistake_of_every_file_is_told_at_once_in_order(write: Write, told: Told) -> None:
    lines = told(
        write(
            {
                "spotwatch.yaml": "city: x\ntimezone: Europe/Brusels\nsnmp:\n  retries: 99\n",
                "sites.csv": "site,kind\nbib,libary\nparc,park\nparc,park\n",
                "access_points.csv": "ap,site,source,host\na,bib,snmp,h\nb,x9,import,\n",
                "controllers.csv": "controller,host\nw#1,h\n",
                "candidate_places.csv": "place,ready\nclos,soon\n",
                "closures.csv": "site,from,to\nbib,2026-07-16,2026-07-15\n",
                "maintenance.csv": "",
                "holidays.csv": "from,to,kind\n2026-07-21,2026-07-21,bank\n",
            }
        )
    )
    assert [":".join(line.split(":")[:3]) for line in lines] == [
        "spotwatch.yaml:2: timezone",
        "spotwatch.yaml:4: snmp.retries",
        "sites.csv:2: kind",
        "sites.csv:4: site",
        "access_points.csv:2: credential",
        "access_points.csv:3: site",
        "controllers.csv:2: controller",
        "controllers.csv:2: credential",
        "candidate_places.csv:2: ready",
        "closures.csv:2: from",
        "maintenance.csv:1: is empty; its first line must name the columns",
        "holidays.csv:2: kind",
    ]


def test_one_unreadable_file_does_not_make_mistakes_of_the_others(write: Write, told: Told) -> None:
    """Its ids are unknown then, so references to them are not called wrong."""
    assert len(told(write({"sites.csv": ""}))) == 1
    assert len(told(write({"sites.csv": None}))) == 1
    assert len(told(write({"sites.csv": "", "spotwatch.yaml": "city: [\n"}))) == 2
    aps = "ap,site,source,controller\na,bib,snmp,wlc\n"
    write({"access_points.csv": aps, "sites.csv": str(RIGHT["sites.csv"])})
    assert len(told(write({"access_points.csv": aps, "controllers.csv": "x,y\n"}))) == 1


def test_a_row_with_a_mistake_still_lends_its_id(write: Write, told: Told) -> None:
    (line,) = told(write({"sites.csv": "site,kind\nbib,libary\nparc,park\n"}))
    assert line.startswith("sites.csv:2: kind:")


content = st.binary(max_size=40) | st.text(
    st.sampled_from("ab\n\r\t,;:\"'{}[]#&*!|>-?%@`$/ 0é\ufeff\0"), max_size=60
).map(str.encode)
beginnings = st.sampled_from(
    [
        b"",
        b"site,kind\n",
        b"ap;site;source\n",
        b"sep=;\n",
        b"city: x\n",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ]
)


@settings(deadline=None)
@given(name=st.sampled_from(FILES), beginning=beginnings, content=content)
def test_no_content_of_a_file_is_more_than_a_mistake(
    tmp_path_factory: pytest.TempPathFactory, name: str, beginning: bytes, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for right, text in RIGHT.items():
        (folder / right).write_text(text)
    (folder / name).write_bytes(beginning + content)
    try:
        load(folder)
    except ConfigError as error:
        for problem in error.problems:
            assert problem.file.parent == folder
            lines = problem.file.read_bytes().count(b"\n") + problem.file.read_bytes().count(b"\r")
            assert 1 <= problem.line <= lines + 1
            assert "\n" not in str(problem)


HOURS = ("Mo-Fr 09:00-17:00; PH off", "Tu-Sa 10:00-18:00", "24/7", "Mo-Su 07:00-22:00")


def big_city(sites: int, aps_each: int) -> dict[str, str | bytes | None]:
    site_rows = [
        f'site-{i};Lieu {i};library;50,{i % 9000:04};4,1;"{HOURS[i % 4]}";0,5;2020-01-01'
        for i in range(sites)
    ]
    ap_rows = [
        f"ap-{i}-{k};site-{i};snmp;10.{i // 250}.{i % 250}.{k};00:00:5e:00:{i % 256:02x}:{k:02x}"
        for i in range(sites)
        for k in range(aps_each)
    ]
    header = "site;name_fr;kind;lat;lon;opening_hours;target_public;in_service_since"
    return {
        "sites.csv": "\n".join([header, *site_rows]),
        "access_points.csv": "\n".join(["ap;site;source;host;mac", *ap_rows]),
    }


def test_a_very_large_city_loads(write: Write) -> None:
    deployment = load(write(big_city(10_000, 3)))
    assert len(deployment.sites) == 10_000
    assert len(deployment.access_points) == 30_000


def test_where_nothing_is_right_what_was_meant_is_looked_for_a_few_times_only(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among thousands of ids a look takes long: for each of them, minutes."""
    looks: list[str] = []

    def look(word: str, allowed: Iterable[str]) -> str:
        looks.append(word)
        return did_you_mean(word, allowed)

    monkeypatch.setattr(references, "did_you_mean", look)
    files = big_city(3_000, 3)
    files["access_points.csv"] = str(files["access_points.csv"]).replace(";site-", ";lieu-")
    folder = write(files)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert len(caught.value.problems) == 9_000
    assert len(looks) <= references.SUGGESTIONS
