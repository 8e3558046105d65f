"""What a deployment wants of its InfluxDB, and what became of each wish."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import SecretStr

from pipeline.store.base import StoreError

DAY_S: Final = 86_400
Outcome = Literal["made", "changed", "kept", "left"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at."""

    what: str
    outcome: Outcome
    """`left`: not as wanted, and not ours to change; the note says what a person can do."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of 2.x; in 1.8 and 3.x a database."""

    name: str
    days: int
    """Older points expire."""
    shard_days: int
    """Points expire, and are stored, so many days at once."""

    def shorter_than(self, found_s: int) -> str:
        """What to tell where the server keeps points longer; `found_s` 0 is for ever."""
        kept = f"{found_s // DAY_S} days" if found_s else "for ever"
        return f"keeps points {kept}, the settings say {self.days} days: points would be deleted"


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token of least privilege, and the file that it is kept in. It is never printed."""

    name: str
    path: Path
    writes: bool

    def read(self) -> SecretStr | None:
        """The token, where the file is there. Raises StoreError."""
        try:
            return SecretStr(self.path.read_text(encoding="utf-8").strip()) or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.path}: {error}; make it readable, or remove it") from error

    def write(self, token: SecretStr) -> None:
        """Keep a token; whole or not at all, and readable by its owner alone. StoreError."""
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.unlink(missing_ok=True)
            handle = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(token.get_secret_value() + "\n")
            new.replace(self.path)
        except OSError as error:
            raise StoreError(f"{self.path}: {error}; a token must be kept there") from error


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that one deployment wants."""

    org: str
    prefix: str
    """What its buckets and tokens are named after."""
    buckets: tuple[Bucket, ...]
    tokens: tuple[TokenFile, ...]


def wanted(
    *, org: str, bucket: str, raw_days: int, usage_days: int, writer: Path, reader: Path
) -> Wanted:
    """The wishes behind the settings of a deployment."""
    return Wanted(
        org=org,
        prefix=bucket,
        buckets=(
            Bucket(f"{bucket}_raw", raw_days, shard_days=7),
            # A quarter is read from two of them at most, and ten years are forty.
            Bucket(f"{bucket}_usage", usage_days, shard_days=91),
        ),
        tokens=(
            TokenFile(f"{bucket}-writer", writer, writes=True),
            TokenFile(f"{bucket}-reader", reader, writes=False),
        ),
    )
