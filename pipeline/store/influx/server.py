"""One InfluxDB server, through influxdb-client: lines in, rows of InfluxQL out.

Beside `setup.api` the only module that imports the client library and the HTTP library under it.
Of the library we use the synchronous write API, which neither queues nor retries: its batching API
forgets points once its retries are used up.
"""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from pipeline.spool.destination import UnavailableError
from pipeline.store.base import StoreError
from pipeline.store.influx import influxql
from pipeline.store.influx.errors import from_response, from_statement, message_of
from pipeline.store.influx.line_protocol import body

CHUNK_ROWS: Final = 10_000
"""Rows that the server puts in one document of an answer, which bounds memory on both sides."""
GZIP_LEVEL: Final = 1
"""Level 9, which the library would use, takes several times as long to save a few per cent."""
_READ_BYTES: Final = 1 << 18


class Rows(NamedTuple):
    """Some rows of one series of an answer."""

    tags: dict[str, str]
    columns: list[str]
    """`time` first, in UTC milliseconds."""
    values: list[list[Any]]


class InfluxServer:
    """A server, an organisation in it and a token. Used by several threads at once.

    Every method raises UnavailableError, RefusedError or MisconfiguredError of
    `pipeline.spool.destination`, with the address and the server's own words in the message.
    """

    def __init__(self, *, url: str, org: str, token: SecretStr, timeout_s: float = 30.0):
        """`timeout_s` bounds the wait for the server's next answer."""
        self.url = url.rstrip("/")
        # Any: the library is annotated in part only.
        self._clients: list[Any] = [
            InfluxDBClient(
                url=self.url,
                org=org,
                token=token.get_secret_value(),
                timeout=int(timeout_s * 1000),
                retries=False,  # a retry is the spool's decision
            )
            for _ in range(2)
        ]
        reading, writing = self._clients
        writing.api_client.set_default_header("Content-Encoding", "gzip")
        self._write_api = writing.write_api(write_options=SYNCHRONOUS)
        self._api = reading.api_client
        self._org = org

    def write(self, bucket: str, lines: Sequence[bytes]) -> None:
        """Write lines of line protocol with times in milliseconds; the server has them on return.

        Where some are wrong, the server may keep none or all of the others.
        """
        packed = gzip.compress(body(lines), GZIP_LEVEL, mtime=0)
        try:
            self._write_api.write(
                bucket=bucket, org=self._org, record=packed, write_precision=WritePrecision.MS
            )
        except (ApiException, HTTPError, OSError) as error:
            raise translated(self.url, error) from error

    def query(self, bucket: str, statement: str) -> Iterator[Rows]:
        """Ask one InfluxQL statement; rows come as the server sends them.

        An error inside an answer that HTTP calls good is an error here, an answer that stops
        early too.
        """
        chunks = [("chunked", "true"), ("chunk_size", str(CHUNK_ROWS))]
        response = self._ask(bucket, statement, chunks)
        complete = False
        try:
            for document in self._documents(response):
                rows, complete = self._results(document, statement)
                yield from rows
            if not complete:
                raise UnavailableError(f"InfluxDB at {self.url} stopped in the middle of an answer")
        finally:
            if not complete:
                response.close()  # the rest of the answer must not meet the next question
            response.release_conn()

    def extent(
        self, bucket: str, field: str, measurement: str, start_ms: int, end_ms: int
    ) -> tuple[int, int]:
        """A window cut down to where there are points with this field; empty where there are none.

        So that a question about all of time is not asked day by day.
        """
        times = [
            rows.values[0][0]
            for which in influxql.EDGES
            for rows in self.query(
                bucket,
                influxql.edge(
                    which, field, measurement, [influxql.within(start_ms, end_ms)], by=()
                ),
            )
        ]
        return (min(times), max(times) + 1) if times else (start_ms, start_ms)

    def execute(self, bucket: str, statement: str) -> None:
        """Do something that has no rows to tell of, or ask whether it may be asked.

        Not in chunks: InfluxDB 2 answers DELETE with `{}`, and with nothing at all in chunks.
        """
        response = self._ask(bucket, statement, [])
        try:
            answer = response.read()
        except (HTTPError, OSError) as error:
            raise translated(self.url, error) from error
        finally:
            response.release_conn()
        if answer.strip():
            self._results(self._parsed(answer), statement)

    def close(self) -> None:
        """Close the connections."""
        self._write_api.close()
        for client in self._clients:
            client.close()

    def _ask(self, bucket: str, statement: str, options: list[tuple[str, str]]) -> Any:
        try:
            return self._api.call_api(
                "/query",
                "POST",
                header_params={
                    "Accept": "application/json",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                post_params=[("db", bucket), ("q", statement), ("epoch", "ms"), *options],
                _preload_content=False,
                _return_http_data_only=True,
            )
        except (ApiException, HTTPError, OSError) as error:
            raise translated(self.url, error) from error

    def _documents(self, response: Any) -> Iterator[dict[str, Any]]:
        rest = b""
        try:
            for piece in response.stream(_READ_BYTES):
                *whole, rest = (rest + piece).split(b"\n")
                yield from (self._parsed(line) for line in whole if line)
        except (HTTPError, OSError) as error:
            raise translated(self.url, error) from error
        if rest:
            raise UnavailableError(f"InfluxDB at {self.url} stopped in the middle of an answer")

    def _parsed(self, text: bytes) -> dict[str, Any]:
        try:
            document: dict[str, Any] = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise UnavailableError(f"InfluxDB at {self.url} sent a broken answer") from error
        return document

    def _results(self, document: dict[str, Any], statement: str) -> tuple[list[Rows], bool]:
        """The rows of one document, and whether it is the last one."""
        results = document.get("results", [])
        for part in (document, *results):
            if "error" in part:
                raise from_statement(self.url, part["error"], statement)
        rows = [
            Rows(series.get("tags") or {}, series["columns"], series.get("values") or [])
            for result in results
            for series in result.get("series") or []
        ]
        return rows, not any(result.get("partial") for result in results)


def translated(url: str, error: Exception) -> StoreError:
    """What an error of the client library means, or one of the network under it."""
    if isinstance(error, ApiException) and error.status:
        content = error.body if isinstance(error.body, bytes) else str(error.body or "").encode()
        headers: Mapping[str, str] = error.headers or {}
        return from_response(url, error.status, content, headers, datetime.now(UTC))
    # Without a status: TLS failed, or the connection did. The cause's own words are enough; the
    # library's would quote the headers.
    reason = message_of(str(getattr(error, "reason", None) or error).encode())
    return UnavailableError(f"InfluxDB at {url} cannot be reached: {reason}")
