"""Answers are read whole, chunk by chunk, or not at all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from collectors.reading import Reading
from pipeline.spool.destination import MisconfiguredError, RefusedError, UnavailableError
from pipeline.store.base import StoreError
from pipeline.store.influx.server import CHUNK_ROWS, InfluxServer
from pipeline.store.influx.store import InfluxStore
from tests.integration.influx.conftest import City

T = 1_790_000_000_000
ASK = 'SELECT "clients" FROM "sample"'
ROWS = b'"series":[{"name":"sample","columns":["time","clients"],"values":[[1,2]]%s}]'


def test_a_long_answer_comes_in_pieces_and_whole(city: City, store: InfluxStore) -> None:
    count = 2 * CHUNK_ROWS + 5
    store.write_samples([Reading("a", "lib-1", T + i, clients=i) for i in range(count)])
    store.forwarder.drain()
    pieces = [len(rows.values) for rows in city.server().query(city.raw, ASK)]
    assert pieces == [CHUNK_ROWS, CHUNK_ROWS, 5]
    frame = store.read_samples(T, T + count)
    assert frame["clients"].tolist() == list(range(count))


def test_a_question_given_up_half_way_spoils_no_other(city: City, store: InfluxStore) -> None:
    store.write_samples([Reading("a", "lib-1", T + i) for i in range(CHUNK_ROWS + 1)])
    store.forwarder.drain()
    server = city.server()
    statement = 'SELECT "interval_s" FROM "sample"'
    for _ in range(3):
        first = next(iter(server.query(city.raw, statement)))
        assert len(first.values) == CHUNK_ROWS
    assert sum(len(r.values) for r in server.query(city.raw, statement)) == CHUNK_ROWS + 1
    server.close()


def test_an_error_in_an_answer_that_http_calls_good_is_an_error(city: City) -> None:
    server = city.server()
    with pytest.raises(RefusedError, match="mixing aggregate"):
        list(server.query(city.raw, 'SELECT mean("up"), "up" FROM "sample"'))
    with pytest.raises(MisconfiguredError, match="not found"):
        list(server.query("no_such_bucket", ASK))
    with pytest.raises(RefusedError, match="400: error parsing query"):
        list(server.query(city.raw, "SELECT FROM"))
    server.close()


@contextmanager
def answering(body: bytes) -> Iterator[InfluxServer]:
    """A server that answers everything with this, as status 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{http.server_port}"
    server = InfluxServer(url=url, org="city", token=SecretStr("t"), timeout_s=5)
    yield server
    server.close()
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"results":[{%s,"partial":true}]}\n' % (ROWS % b',"partial":true'), "in the middle"),
        (b'{"results":[{%s,"partial":true}]}\n{"resu' % (ROWS % b""), "in the middle"),
        (b"", "in the middle"),
        (b"<html>welcome</html>\n", "broken answer"),
    ],
)
def test_an_answer_that_stops_early_is_no_answer(body: bytes, reason: str) -> None:
    with answering(body) as server, pytest.raises(UnavailableError, match=reason):
        list(server.query("b", ASK))


def test_an_answer_that_ends_as_it_should_is_one() -> None:
    with answering(b'{"results":[{%s}]}\n' % (ROWS % b"")) as server:
        (rows,) = server.query("b", ASK)
    assert (rows.columns, rows.values) == (["time", "clients"], [[1, 2]])


@pytest.mark.parametrize("nothing", [b"", b"{}", b'{"results":[{"statement_id":0}]}\n'])
def test_what_answers_no_rows_may_answer_nothing(nothing: bytes) -> None:
    with answering(nothing) as server:
        server.execute("b", "DELETE FROM sample")


def test_a_deletion_that_failed_is_told() -> None:
    refused = b'{"results":[{"statement_id":0,"error":"shard is disabled"}]}\n'
    with answering(refused) as server, pytest.raises(StoreError, match="shard is disabled"):
        server.execute("b", "DELETE FROM sample")
