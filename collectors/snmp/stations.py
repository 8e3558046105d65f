"""Client devices by their MAC addresses, as long as they are in this process's memory."""

from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

OCTETS: Final = 6


class Stations:
    """The client devices that a table lists, each once. Iterating gives their addresses, 6 octets.

    They are personal data, and stay in memory until they are hashed: whatever prints, formats or
    pickles this says how many there are, or refuses.
    """

    __slots__ = ("_macs",)

    def __init__(self, macs: Iterable[bytes] = ()) -> None:
        self._macs = frozenset(macs)

    def __len__(self) -> int:
        return len(self._macs)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._macs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stations) and self._macs == other._macs

    def __hash__(self) -> int:
        return hash(self._macs)

    def __repr__(self) -> str:
        return f"<{len(self)} client device{'' if len(self) == 1 else 's'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("addresses of client devices are not to leave this process")
