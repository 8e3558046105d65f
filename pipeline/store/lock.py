"""Locks between processes, held through a file that they share."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pipeline.store.sqlite_file import store_errors


@contextmanager
def alone(path: Path, *, wait: bool) -> Iterator[bool]:
    """Be the one, of all threads and processes, that holds this lock while the block lasts.

    Where another is: wait for it, or be told False at once. `path`: its file, made where it is
    missing and never removed. Raises StoreError where that is impossible.
    """
    with ExitStack() as stack:
        with store_errors(path):
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, handle)  # which gives the lock back, as any end does
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                held = True
            except BlockingIOError:
                held = False
        yield held
