"""Room kept on the disk for the one thing that makes room: striking off what was sent.

SQLite writes a transaction to its log before it frees anything, so on a disk without a free block
nothing could be taken out of the spool, and it would stay full for ever.
"""

from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 4 << 20
"""More than the log takes for striking off one batch."""


class Reserve:
    """A file that is there for its size."""

    def __init__(self, path: Path):
        self._path = path
        self.hold()

    def hold(self) -> None:
        """Take the room, unless held; without enough on the disk, later."""
        if self._path.exists():
            return
        try:
            self._path.write_bytes(bytes(RESERVE_BYTES))
        except OSError:
            self.release()

    def release(self) -> bool:
        """Give the room back to the disk; whether there was any."""
        held = self._path.exists()
        self._path.unlink(missing_ok=True)
        return held
