"""The search that the privacy tests rest on finds what it is to find, and nothing else."""

import base64
import hashlib

import orjson
import pytest

from tests.addresses import Search, spellings

MAC = bytes.fromhex("02aebc10d7ff")
OTHERS = [bytes.fromhex(f"02aebc10{n:04x}") for n in range(40)]
SEARCH = Search([*OTHERS, MAC])

PLANTED = [
    b"client 02:ae:bc:10:d7:ff left",
    b"02-AE-BC-10-D7-FF",
    b"02ae.bc10.d7ff",
    b"2:ae:bc:10:d7:ff",
    b"x02aebc10d7ffx",
    b"1.3.6.1.4.1.14179.2.1.4.1.4.2.174.188.16.215.255",
    b"[2,174,188,16,215,255]",
    MAC,
    b"\0" + MAC + b"\0",
    repr({"station": MAC}).encode(),
    orjson.dumps(MAC.decode("latin-1")),
    str({"n": int.from_bytes(MAC, "big")}).encode(),
    base64.b64encode(b"mac=" + MAC),
    base64.b64encode(b"a mac=" + MAC + b"."),
    base64.b64encode(b"mac:" + MAC.hex(":").encode()),
    hashlib.sha256(MAC).digest(),
    hashlib.md5(MAC.hex(":").encode()).hexdigest().encode(),
    hashlib.sha1(MAC.hex().encode()).hexdigest().upper().encode(),
    hashlib.blake2b(MAC, digest_size=8).hexdigest().encode(),
    base64.b64encode(hashlib.sha512(MAC.hex("-").encode()).digest()),
]


@pytest.mark.parametrize("content", PLANTED)
def test_a_planted_address_is_found(content: bytes) -> None:
    assert SEARCH.found_in(content)
    assert SEARCH.found_in(bytes(5 << 20) + content + bytes(1 << 20))


def test_it_is_found_across_the_edge_of_a_chunk() -> None:
    for before in range((4 << 20) - 20, 4 << 20):
        assert SEARCH.found_in(bytes(before) + MAC.hex(":").encode())


def test_what_is_found_is_told() -> None:
    told = SEARCH.found_in("seen 02:ae:bc:10:d7:ff there")
    assert told[0].startswith("02:ae:bc:10:d7:ff as 02:ae:bc:10:d7:ff in ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"02:ae:b",
        b"02:ae:bc:11:d7:ff, 03aebc10d7ff, 2.174.188.16.215.25",
        hashlib.blake2b(MAC, digest_size=8, key=b"of the day").digest(),
        hashlib.sha256(b"salt" + MAC).hexdigest().encode(),
        bytes(1 << 20),
    ],
)
def test_nothing_else_is(content: bytes) -> None:
    assert SEARCH.found_in(content) == []


def test_no_spelling_is_so_short_that_chance_would_find_it() -> None:
    assert min(map(len, spellings(MAC))) >= 6
