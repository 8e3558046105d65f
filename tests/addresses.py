"""Searches anything for the addresses of clients: in every spelling, raw, encoded, hashed."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

_SHORTEST: Final = 6
"""Octets by which a spelling is looked up; none is shorter."""
_TABLE_BITS: Final = 24
_CHUNK: Final = 4 << 20
_HASHES: Final[tuple[Callable[[bytes], bytes], ...]] = (
    lambda content: hashlib.md5(content).digest(),
    lambda content: hashlib.sha1(content).digest(),
    lambda content: hashlib.sha256(content).digest(),
    lambda content: hashlib.sha512(content).digest(),
    lambda content: hashlib.blake2b(content).digest(),
    lambda content: hashlib.blake2b(content, digest_size=32).digest(),
    lambda content: hashlib.blake2b(content, digest_size=16).digest(),
    lambda content: hashlib.blake2b(content, digest_size=8).digest(),
    lambda content: hashlib.blake2s(content).digest(),
)


def spellings(mac: bytes) -> dict[bytes, str]:
    """Every spelling of an address, with a name for it."""
    found: dict[bytes, str] = {mac: "raw"}
    for text in _texts(mac):
        found[text.encode(errors="surrogateescape")] = ascii(text)[1:-1]
    found |= {part: "base64" for plain in (mac, *_plain(mac)) for part in _base64(plain)}
    for plain in (mac, *_plain(mac)):
        for hashed in _HASHES:
            digest = hashed(plain)
            # A part tells as much as the whole; 8 octets are what is kept of a keyed one.
            hexadecimal = digest[:8].hex()
            found[digest[:8]] = "hash, raw"
            found[hexadecimal.encode()] = found[hexadecimal.upper().encode()] = "hash, in hex"
            found[base64.b64encode(digest)[:10]] = "hash, in base64"
            found[base64.urlsafe_b64encode(digest)[:10]] = "hash, in base64"
    return found


class Search:
    """Looks for many addresses at once, some seconds for 100 MB."""

    def __init__(self, macs: Iterable[bytes]) -> None:
        self._needles: dict[bytes, list[bytes]] = {}
        self._names: Mapping[bytes, tuple[bytes, str]] = {
            spelled: (mac, name) for mac in macs for spelled, name in spellings(mac).items()
        }
        for needle in self._names:
            self._needles.setdefault(needle[:_SHORTEST], []).append(needle)
        heads = np.frombuffer(b"".join(self._needles), np.uint8).reshape(-1, _SHORTEST)
        self._table = np.zeros(1 << _TABLE_BITS, np.bool_)
        self._table[_slots([heads[:, i] for i in range(_SHORTEST)])] = True

    def found_in(self, content: bytes | str) -> list[str]:
        """Say what was found: the spelling of which address, and what stands around it."""
        octets = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        return [
            f"{mac.hex(':')} as {name} in ...{octets[max(at - 40, 0) : at + 60]!r}..."
            for at, (mac, name) in self._hits(octets)
        ]

    def _hits(self, octets: bytes) -> Iterator[tuple[int, tuple[bytes, str]]]:
        for start in range(0, max(len(octets) - _SHORTEST + 1, 0), _CHUNK):
            part = np.frombuffer(octets[start : start + _CHUNK + _SHORTEST - 1], np.uint8)
            last = len(part) - _SHORTEST + 1
            slots = _slots([part[i : last + i] for i in range(_SHORTEST)])
            for offset in np.flatnonzero(self._table[slots]):
                at = start + int(offset)
                for needle in self._needles.get(octets[at : at + _SHORTEST], ()):
                    if octets.startswith(needle, at):
                        yield at, self._names[needle]


def _texts(mac: bytes) -> Iterator[str]:
    pairs = [f"{octet:02x}" for octet in mac]
    digits = "".join(pairs)
    by_four, by_six = [digits[i : i + 4] for i in (0, 4, 8)], [digits[:6], digits[6:]]
    lower = [
        *(sep.join(pairs) for sep in (":", "-", ".", " ", "_", "", "%3a", "%2d", ", ")),
        *(sep.join(by_four) for sep in (".", ":", "-")),
        *(sep.join(by_six) for sep in ("-", ":")),
        ":".join(f"{octet:x}" for octet in mac),
        *(sep.join(f"0x{pair}" for pair in pairs) for sep in (",", ", ", " ")),
        "".join(f"%{pair}" for pair in pairs),
        "".join(f"\\x{pair}" for pair in pairs),
        "".join(f"\\u00{pair}" for pair in pairs),
    ]
    for text in lower:
        yield text
        yield text.upper()
    numbers = [str(octet) for octet in mac]
    yield from (sep.join(numbers) for sep in (".", ",", ", ", " ", ":", "-"))
    yield ".".join(("6", *numbers))
    yield str(int.from_bytes(mac, "big"))
    yield repr(mac)[2:-1]
    for text in (mac.decode("latin-1"), mac.decode(errors="surrogateescape")):
        yield from (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])


def _plain(mac: bytes) -> tuple[bytes, ...]:
    """The spellings that somebody may hash or encode."""
    with_colons = mac.hex(":")
    return tuple(
        text.encode()
        for text in (with_colons, with_colons.upper(), mac.hex(), mac.hex().upper(), mac.hex("-"))
    )


def _base64(plain: bytes) -> Iterator[bytes]:
    """Of what starts at any of the three places in a group; the edges depend on what is around."""
    for before, first in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(plain)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + plain)[first:whole]


def _slots(octets: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint64]:
    """A slot of the table for each run of six octets."""
    value = np.zeros(len(octets[0]), np.uint64)
    for column in octets:
        value = (value << np.uint64(8)) | column
    return (value * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _TABLE_BITS)
