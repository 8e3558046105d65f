"""What a cell may say, and what is told of one that says something else."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from config import values
from config.deployment import AccessPoint, CandidatePlace, Controller, Site
from config.loader import load
from config.translate import allowed_names, mistakes
from tests.config.conftest import Told, Write

SITE = {"site": "bib", "kind": "library"}
AP = {"ap": "bib-1", "site": "bib", "source": "import"}
PLACE = {"place": "clos"}
RIGHT = {Site: SITE, AccessPoint: AP, CandidatePlace: PLACE, Controller: {"controller": "wlc"}}


@pytest.mark.parametrize(
    "spelling",
    [
        "00:1a:2b:3c:4d:5e",
        "00-1A-2B-3C-4D-5E",
        "001a.2b3c.4d5e",
        "001A2B3C4D5E",
        "001a2b-3c4d5e",
        "00 1a 2b 3c 4d 5e",
        " 00:1A:2b:3C:4d:5E ",
    ],
)
def test_a_mac_address_is_one_however_it_is_spelt(spelling: str) -> None:
    assert AccessPoint.model_validate({**AP, "mac": spelling}).mac == "00:1a:2b:3c:4d:5e"


@pytest.mark.parametrize(
    "spelling",
    ["00:1a:2b:3c:4d", "00:1a:2b:3c:4d:5g", "00:1a-2b:3c:4d:5e", "1122334455", "1,12E+09", "x"],
)
def test_what_is_no_mac_address_is_refused(spelling: str) -> None:
    with pytest.raises(ValueError, match="is not a MAC address; write 12 hexadecimal digits"):
        values.mac(spelling)


@given(st.binary(min_size=6, max_size=6), st.sampled_from([":", "-", " ", ""]))
def test_any_mac_address_keeps_its_digits(address: bytes, separator: str) -> None:
    spelt = address.hex(separator).upper() if separator else address.hex()
    assert values.mac(spelt) == address.hex(":")


@pytest.mark.parametrize("word", ["yes", "true", "1", "oui", "ja", "TRUE", "Oui", "VRAI", "WAAR"])
def test_yes_in_the_words_of_offices(word: str) -> None:
    assert CandidatePlace.model_validate({**PLACE, "ready": word}).ready is True


@pytest.mark.parametrize("word", ["no", "false", "0", "non", "nee", "FALSE", "Nee", "FAUX"])
def test_no_in_the_words_of_offices(word: str) -> None:
    assert CandidatePlace.model_validate({**PLACE, "ready": word}).ready is False


@given(st.integers(-(10**9), 10**9), st.integers(0, 9), st.sampled_from(".,"))
def test_a_number_is_read_with_point_or_comma(whole: int, tenths: int, mark: str) -> None:
    assert float(values.number(f"{whole}{mark}{tenths}")) == float(f"{whole}.{tenths}")


@pytest.mark.parametrize(
    "text",
    ["1.234,5", "1,234.5", "1 234", "12 €", "80%", "1\u202f234", "--1", "nan", "inf", "."],
)
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number; write it like 1234"):
        values.number(text)


@pytest.mark.parametrize("text", ["12.500", "12,500", "1.000", "999,999"])
def test_an_amount_that_can_mean_two_things_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"can mean .* or .*; write euros without thousands"):
        values.amount(text)


@pytest.mark.parametrize(
    ("text", "euros"), [("12500", 12500), ("12,50", 12.5), ("0.125", 0.125), ("12500,000", 12500)]
)
def test_an_amount_that_can_mean_one_thing_is_read(text: str, euros: float) -> None:
    assert Site.model_validate({**SITE, "capex_eur": text}).capex_eur == euros


@pytest.mark.parametrize("text", ["2026-03-05", " 2026-03-05 "])
def test_a_day_is_read(text: str) -> None:
    site = Site.model_validate({**SITE, "in_service_since": text})
    assert site.in_service_since == date(2026, 3, 5)


@pytest.mark.parametrize("host", ["10.0.0.7", "2001:db8::1", "ap-7.city.example", "ap_7", "x."])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert AccessPoint.model_validate({**AP, "host": host}).host == host


@pytest.mark.parametrize(
    "opening_hours",
    ["24/7", "Mo-Fr 09:00-17:00", "Mo-Fr 09:00-17:00;\n  Sa 10:00-12:30; PH off", "sunrise-sunset"],
)
def test_opening_hours_are_those_of_openstreetmap(opening_hours: str) -> None:
    site = Site.model_validate({**SITE, "opening_hours": opening_hours})
    assert site.opening_hours == " ".join(opening_hours.split())


def test_an_id_may_hold_spaces_and_accents_inside() -> None:
    assert Site.model_validate({**SITE, "site": "\tMédiathèque 2 "}).site == "Médiathèque 2"


@pytest.mark.parametrize(
    ("model", "row", "key", "what"),
    [
        (Site, {"site": "a/b"}, "site", "'a/b' holds '/'; an id may hold anything but / + #"),
        (Site, {"site": "a+b"}, "site", "'a+b' holds '+'"),
        (Site, {"site": "a#b"}, "site", "'a#b' holds '#'"),
        (Site, {"site": "a\nb"}, "site", "holds '\\n'"),
        (Site, {"site": "a\u200bb"}, "site", "holds '\\u200b'"),
        (AccessPoint, {"ap": "a/b"}, "ap", "'a/b' holds '/'"),
        (AccessPoint, {"controller": "a/b"}, "controller", "'a/b' holds '/'"),
        (Site, {"kind": "Libary"}, "kind", "'Libary' is not one of those allowed; did you"
         " mean 'library'?; allowed: library, senior_centre, sports_centre, social_antenna"),
        (AccessPoint, {"source": "snmpv3"}, "source", "did you mean 'snmp'?; allowed: snmp, mq"),
        (Site, {"lat": "91", "lon": "4"}, "lat", "is too large; it must be at most 90"),
        (Site, {"lat": "50", "lon": "-181"}, "lon", "is too small; it must be at least -180"),
        (Site, {"lat": "50,6"}, "lon", "lat is given without lon; give both or neither"),
        (Site, {"lon": "4,1"}, "lon", "lon is given without lat; give both or neither"),
        (CandidatePlace, {"lat": "50"}, "lon", "lat is given without lon"),
        (Site, {"target_public": "2"}, "target_public", "is too large; it must be at most 1"),
        (Site, {"target_public": "80%"}, "target_public", "'80%' is not a number"),
        (Site, {"opex_eur_year": "-1"}, "opex_eur_year", "it must be at least 0"),
        (Site, {"capex_eur": "1e400"}, "capex_eur", "must be a number"),
        (Site, {"opening_hours": "Mo-Fr 9h-17h"}, "opening_hours", "'Mo-Fr 9h-17h' does not "
         "read as opening hours; write them as OpenStreetMap does, such as 'Mo-Fr 09:00-17:00"),
        (Site, {"timezone": "CEST"}, "timezone", "'CEST' is not a known time zone"),
        (Site, {"in_service_since": "05/03/2026"}, "in_service_since", "'05/03/2026' is not a"
         " date; write year-month-day, such as 2026-03-05"),
        (Site, {"in_service_since": "20260305"}, "in_service_since", "is not a date"),
        (Site, {"in_service_since": "2026-02-30"}, "in_service_since", "is no day of the cal"),
        (Site, {"in_service_since": "9999-12-31"}, "in_service_since", "from 1970 to 2199"),
        (Site, {"in_service_since": "2026-03-05", "out_of_service_since": "2026-03-04"},
         "out_of_service_since", "2026-03-04 is before in_service_since, 2026-03-05"),
        (AccessPoint, {"in_service_since": "2026-03-05", "out_of_service_since": "2025-03-05"},
         "out_of_service_since", "2025-03-05 is before in_service_since, 2026-03-05"),
        (AccessPoint, {"host": "http://10.0.0.7"}, "host", "neither a host name nor an IP addr"),
        (AccessPoint, {"host": "10.0.0.7:161"}, "host", "neither a host name nor an IP address"),
        (AccessPoint, {"host": "10.0.0.300"}, "host", "neither a host name nor an IP address"),
        (AccessPoint, {"port": "0"}, "port", "is too small; it must be at least 1"),
        (AccessPoint, {"port": "65536"}, "port", "is too large; it must be at most 65535"),
        (AccessPoint, {"port": "snmp"}, "port", "it must be a whole number"),
        (AccessPoint, {"poll_seconds": "1"}, "poll_seconds", "it must be at least 5"),
        (AccessPoint, {"poll_seconds": "9" * 5000}, "poll_seconds", "must be a whole number"),
        (Controller, {}, "host", "is missing"),
        (CandidatePlace, {"ready": "soon"}, "ready", "'soon' is neither yes nor no; allowed:"),
        (CandidatePlace, {"cost_eur": "12.500"}, "cost_eur", "'12.500' can mean 12500 or 12."),
    ],
)  # fmt: skip
def test_a_wrong_cell_is_told_with_what_is_allowed(
    model: type[BaseModel], row: dict[str, str], key: str, what: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({**RIGHT[model], **row})
    (mistake,) = mistakes(caught.value, model, called="column")
    assert mistake.keys == (key,)
    assert what in mistake.message
    assert len(mistake.message) < 300


@given(data=st.data(), model=st.sampled_from([Site, AccessPoint, Controller, CandidatePlace]))
def test_no_cell_is_told_of_in_jargon(data: st.DataObject, model: type[BaseModel]) -> None:
    cells = st.sampled_from(
        ["x", "-1", "1e999", "nan", "2026-13-01", "/", "9" * 500, "24/7 x", "é"]
    )
    row = data.draw(st.dictionaries(st.sampled_from(allowed_names(model)), cells, min_size=1))
    try:
        model.model_validate(row)
    except ValidationError as error:
        for mistake in mistakes(error, model, called="column"):
            for jargon in ("Input should", "Value error", "pydantic", "_type", "_parsing"):
                assert jargon not in mistake.message


def test_every_mistake_of_a_row_is_told_at_once(write: Write, told: Told) -> None:
    sites = (
        "site,kind,lat,lon,opening_hours,target_public,in_service_since,timezone\n"
        "a/b,shop,95,,whenever,2,today,Mars/Base\n"
    )
    keys = [line.split(": ")[1] for line in told(write({"sites.csv": sites}))[:7]]
    assert keys == [
        *("site", "kind", "lat", "opening_hours", "target_public", "in_service_since", "timezone")
    ]


def test_rows_of_a_deployment_carry_the_values(write: Write) -> None:
    files = {
        "sites.csv": "site;kind;lat;lon\nbib;library;50,64;4,13\n",
        "access_points.csv": "ap;site;source;mac;poll_seconds\nbib-1;bib;import;001A2B3C4D5E;60\n",
        "candidate_places.csv": "place;ready;cost_eur;expected_user_hours_day\nclos;ja;1850,5;64\n",
    }
    deployment = load(write({**files}))
    ap, place = deployment.access_points["bib-1"], deployment.candidate_places["clos"]
    assert (ap.mac, ap.poll_seconds, ap.port) == ("00:1a:2b:3c:4d:5e", 60, 161)
    assert (place.ready, place.cost_eur, place.expected_user_hours_day) == (True, 1850.5, 64)
