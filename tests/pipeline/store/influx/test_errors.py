"""What to do about an answer: try again, set the line aside, or tell somebody."""

from datetime import UTC, datetime

import pytest

from pipeline.spool.destination import MisconfiguredError, RefusedError, UnavailableError
from pipeline.store.base import StoreError
from pipeline.store.influx.errors import from_response, from_statement, retry_after_s

URL = "http://influx:8086"
NOW = datetime(2026, 3, 5, 10, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (413, RefusedError),
        (422, RefusedError),
        (408, UnavailableError),
        (429, UnavailableError),
        (500, UnavailableError),
        (502, UnavailableError),
        (503, UnavailableError),
        (301, MisconfiguredError),
        (401, MisconfiguredError),
        (403, MisconfiguredError),
        (404, MisconfiguredError),
        (418, MisconfiguredError),
    ],
)
def test_each_status_has_its_consequence(status: int, kind: type[StoreError]) -> None:
    error = from_response(URL, status, b'{"code":"x","message":"the reason"}', {}, NOW)
    assert type(error) is kind
    assert f"InfluxDB at {URL} answered {status}: the reason" in str(error)


@pytest.mark.parametrize(
    "content", [b'{"error":"the reason"}', b"the reason", b'{"message":"the reason"}']
)
def test_every_version_s_way_to_say_why(content: bytes) -> None:
    assert "400: the reason" in str(from_response(URL, 400, content, {}, NOW))


def test_a_page_of_a_proxy_is_cut_to_its_first_words() -> None:
    error = from_response(URL, 502, b"<html>\n" + b"x" * 100_000, {}, NOW)
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Thu, 05 Mar 2026 10:05:30 GMT", 90.0),
        ("Thu, 05 Mar 2026 10:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("database not found: city_raw", MisconfiguredError),
        ("query-timeout limit exceeded", UnavailableError),
        ("query interrupted", UnavailableError),
        ("mixing aggregate and non-aggregate queries is not supported", RefusedError),
    ],
)
def test_an_error_in_the_place_of_rows(reason: str, kind: type[StoreError]) -> None:
    error = from_statement(URL, reason, "SELECT 1")
    assert type(error) is kind
    assert reason in str(error)
