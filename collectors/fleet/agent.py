"""A simulated SNMP agent over real UDP: GET, GETNEXT, GETBULK; v1 and v2c.

It serves trees of variables that may change from one second to the next: a recording, or the state
of a simulated device. A hundred agents live in one event loop.
"""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto import api
from pysnmp.proto.error import ProtocolError

Oid = tuple[int, ...]
Type = Literal[
    "integer", "octets", "oid", "ipaddress", "counter32", "gauge32", "timeticks", "counter64"
]
Value = tuple[Type, int | bytes | Oid]
"""Type on the wire and value: bytes for octets and ipaddress, a tuple for oid, else an int."""
Tree = Mapping[Oid, Value]
TreeSource = Tree | Callable[[], Tree | None]
"""A tree, or what gives it; a callable that gives None is a device that is switched off: silent."""

MAX_BULK_BYTES: Final = 1400
"""GETBULK answers stop about here, as those of real agents do, to fit one Ethernet frame."""
_V1: Final = api.PROTOCOL_MODULES[api.SNMP_VERSION_1]
_V2C: Final = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
_TYPES: Final[dict[Type, Any]] = {
    "integer": _V2C.Integer32,
    "octets": _V2C.OctetString,
    "oid": _V2C.ObjectIdentifier,
    "ipaddress": _V2C.IpAddress,
    "counter32": _V2C.Counter32,
    "gauge32": _V2C.Gauge32,
    "timeticks": _V2C.TimeTicks,
    "counter64": _V2C.Counter64,
}
_NO_SUCH_NAME: Final = 2
_READ_ONLY: Final = 4
_NO_SUCH_INSTANCE: Final = _V2C.NoSuchInstance("")
_END_OF_MIB_VIEW: Final = _V2C.EndOfMibView("")
_NOT_IN_V1: Final = {
    _NO_SUCH_INSTANCE.tagSet,
    _END_OF_MIB_VIEW.tagSet,
    _V2C.Counter64.tagSet,
}


class Agent(asyncio.DatagramProtocol):
    """Answers for one device, or for several told apart by community.

    A community that is not among the trees gets no answer, as from a real device. Usable as an
    async context manager.
    """

    def __init__(
        self,
        trees: Mapping[str, TreeSource],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        cache_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = host
        self.port = port
        """0 until started: any free one."""
        self.requests = 0
        """Datagrams heard, answered or not."""
        self._trees = {c: _CachedTree(source, cache_s, clock) for c, source in trees.items()}
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> "Agent":
        """Bind and serve; raises OSError where the address is taken."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        return self

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._transport:
            self._transport.close()
            self._transport = None

    async def __aenter__(self) -> "Agent":
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer one request; what cannot be decoded is left unanswered, as real agents do."""
        self.requests += 1
        try:
            reply = self._reply(data)
        except (PyAsn1Error, ProtocolError):
            return
        if reply is not None and self._transport:
            self._transport.sendto(reply, addr)

    def _reply(self, data: bytes) -> bytes | None:
        version = api.decodeMessageVersion(data)
        module = api.PROTOCOL_MODULES.get(version)
        if module is None:
            return None
        message, _ = decoder.decode(data, asn1Spec=module.Message())
        cached = self._trees.get(str(module.apiMessage.get_community(message)))
        tree = cached.current() if cached else None
        if tree is None:
            return None
        request = module.apiMessage.get_pdu(message)
        answer = module.apiMessage.get_response(message)
        pdu = module.apiMessage.get_pdu(answer)
        asked = [tuple(oid) for oid, _ in module.apiPDU.get_varbinds(request)]
        if module is _V2C and request.isSameTypeWith(_V2C.GetBulkRequestPDU()):
            bulk = _V2C.apiBulkPDU
            repeat = int(bulk.get_max_repetitions(request))
            found = tree.bulk(asked, int(bulk.get_non_repeaters(request)), repeat)
        elif request.isSameTypeWith(module.GetRequestPDU()):
            found = [(oid, tree.get(oid)) for oid in asked]
        elif request.isSameTypeWith(module.GetNextRequestPDU()):
            found = [tree.after(oid, with_counter64=module is _V2C) for oid in asked]
        else:
            module.apiPDU.set_error_status(pdu, _READ_ONLY)
            found = []
        if module is _V1:
            # SNMP v1 knows neither exceptions beside values nor Counter64 (RFC 2576, 4.1.2).
            for index, (_, value) in enumerate(found, start=1):
                if value.tagSet in _NOT_IN_V1:
                    module.apiPDU.set_error_status(pdu, _NO_SUCH_NAME)
                    module.apiPDU.set_error_index(pdu, index)
                    found = [(oid, module.null) for oid in asked]
                    break
        module.apiPDU.set_varbinds(pdu, found)
        return bytes(encoder.encode(answer))


class _SortedTree:
    """A tree in the order of its OIDs; values become ASN.1 objects when they are asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._oids = sorted(tree)

    def get(self, oid: Oid) -> Any:
        value = self._tree.get(oid)
        return _NO_SUCH_INSTANCE if value is None else _TYPES[value[0]](value[1])

    def after(self, oid: Oid, *, with_counter64: bool = True) -> tuple[Oid, Any]:
        for found in self._from(bisect_right(self._oids, oid)):
            if with_counter64 or self._tree[found][0] != "counter64":
                return found, self.get(found)
        return oid, _END_OF_MIB_VIEW

    def bulk(self, asked: Sequence[Oid], non_repeaters: int, repeat: int) -> list[tuple[Oid, Any]]:
        """The answer to GETBULK (RFC 3416, 4.2.3), cut off once it fills a frame."""
        once, current = asked[: max(non_repeaters, 0)], list(asked[max(non_repeaters, 0) :])
        found = [self.after(oid) for oid in once]
        size = sum(map(_size, found))
        for _ in range(repeat if current else 0):
            for column, oid in enumerate(current):
                next_one = self.after(oid)
                size += _size(next_one)
                if size > MAX_BULK_BYTES and found:
                    return found
                found.append(next_one)
                current[column] = next_one[0]
            if all(value is _END_OF_MIB_VIEW for _, value in found[-len(current) :]):
                break
        return found

    def _from(self, start: int) -> Iterator[Oid]:
        for index in range(start, len(self._oids)):
            yield self._oids[index]


class _CachedTree:
    """Asks the source at most once per `cache_s`, so that a walk does not rebuild it each time."""

    def __init__(self, source: TreeSource, cache_s: float, clock: Callable[[], float]) -> None:
        self._source = source
        self._cache_s = cache_s
        self._clock = clock
        self._until = float("-inf")
        self._tree: _SortedTree | None = None

    def current(self) -> _SortedTree | None:
        """The tree as of now; None: the device is switched off."""
        if self._clock() >= self._until:
            if callable(self._source):
                tree = self._source()
                self._until = self._clock() + self._cache_s
            else:
                tree = self._source
                self._until = float("inf")
            self._tree = None if tree is None else _SortedTree(tree)
        return self._tree


def _size(varbind: tuple[Oid, Any]) -> int:
    """About how many octets a variable takes on the wire."""
    oid, value = varbind
    return len(oid) + 8 + (len(value) if isinstance(value, _V2C.OctetString) else 6)
