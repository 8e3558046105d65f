"""Text files as people save them: what is not UTF-8 is told with the way to save it right."""

import codecs
from pathlib import Path
from typing import Final

from config.problems import Problem

SAVE_AS_UTF8: Final = (
    "in Excel save as 'CSV UTF-8 (comma delimited)', in LibreOffice choose the character set "
    "'Unicode (UTF-8)', in an editor save with the encoding UTF-8"
)
WORKBOOK: Final = b"PK\x03\x04"
"""How .xlsx and .ods files begin, whatever their name."""


def read_text(path: Path, problems: list[Problem]) -> str | None:
    """Read a UTF-8 file, with or without a byte order mark.

    A file in another encoding is a problem, and is read all the same where its encoding can be
    told, so that its other mistakes are told with it. None: nothing could be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = "is a folder" if isinstance(error, IsADirectoryError) else error.strerror
        problems.append(Problem(path, 1, "", f"cannot be read: {reason}; allowed: a text file"))
        return None
    if data.startswith(WORKBOOK):
        message = f"is a workbook, not a text file; {SAVE_AS_UTF8}"
        problems.append(Problem(path, 1, "", message))
        return None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        problems.append(Problem(path, 1, "", f"is UTF-16, not UTF-8; {SAVE_AS_UTF8}"))
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        line = line_at(data, data.index(b"\0"))
        message = f"holds a zero byte: it is damaged, or not UTF-8; {SAVE_AS_UTF8}"
        problems.append(Problem(path, line, "", message))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.start` counts without the byte order mark that utf-8-sig drops; `object` too.
        line = line_at(error.object, error.start)
        byte = error.object[error.start]
        message = (
            f"is not UTF-8 (byte 0x{byte:02x}, as Latin-1 and Windows files have); {SAVE_AS_UTF8}"
        )
        problems.append(Problem(path, line, "", message))
        return data.removeprefix(codecs.BOM_UTF8).decode("cp1252", errors="replace")


def line_at(data: bytes, position: int) -> int:
    """The line, counted from 1, that a byte stands on; lines end in LF, CRLF or CR."""
    before = data[:position].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return before.count(b"\n") + 1
