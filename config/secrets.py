"""Secrets: a type that prints masked, filled from the environment or a file only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo, WithJsonSchema

REFERENCE: Final = r"^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:.+)$"
ALLOWED: Final = "allowed: ${NAME_OF_AN_ENVIRONMENT_VARIABLE} or file:PATH"
MIN_PASS_PHRASE: Final = 8
"""Characters; RFC 3414, section 11.2."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Where the secrets of a deployment are found."""

    folder: Path
    """The deployment's; `file:` paths are relative to it."""
    environ: Mapping[str, str] = field(repr=False)
    pending: bool = False
    """A secret that is nowhere yet reads as empty: for the commands that make secrets."""

    def reveal(self, reference: str) -> SecretStr:
        """Follow `${NAME}` or `file:PATH`. ValueError says what is wrong, without the secret."""
        if not re.fullmatch(REFERENCE, reference):
            raise ValueError(f"a secret may not stand in the file itself; {ALLOWED}")
        if reference.startswith("file:"):
            secret = self._from_file(reference.removeprefix("file:").strip())
        else:
            secret = self._from_environment(reference.removeprefix("${").removesuffix("}"))
        return SecretStr(secret)

    def _from_environment(self, name: str) -> str:
        secret = self.environ.get(name)
        if secret is None and self.pending:
            return ""
        if secret is None:
            raise ValueError(f"the environment variable {name} is not set; set it, or use file:")
        if not secret.strip():
            raise ValueError(f"the environment variable {name} is empty; put the secret in it")
        return secret

    def _from_file(self, name: str) -> str:
        path = self.folder / name
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError(f"the file {path} is not UTF-8 text; it must hold one line") from None
        except FileNotFoundError:
            if self.pending:
                return ""
            raise ValueError(
                f"there is no file {path}; the path is relative to the deployment's folder"
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its name is not one of a file"
            raise ValueError(f"the file {path} cannot be read: {reason}") from None
        # Editors end the line; the secret does not end so.
        lines = text.rstrip("\r\n").splitlines()
        if not text.strip():
            raise ValueError(f"the file {path} is empty; it must hold the secret, on one line")
        if len(lines) > 1:
            raise ValueError(f"the file {path} holds {len(lines)} lines; it must hold one")
        return lines[0]


def _secret(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, SecretStr) or info.context is None:
        return value  # Set by code, such as an option of the command line; the loader has a vault.
    if not isinstance(value, str) or not isinstance(info.context, Vault):
        raise ValueError(f"a secret may not stand here; {ALLOWED}")  # noqa: TRY004 a message
    return info.context.reveal(value.strip())


def _secrets(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError(f"is an empty list; {ALLOWED}, or several")
        return tuple(_secret(item, info) for item in value)
    return (_secret(value, info),)


def _pass_phrase(secret: SecretStr) -> SecretStr:
    # An empty one is pending: otherwise the vault refuses it.
    if 0 < len(secret.get_secret_value()) < MIN_PASS_PHRASE:
        raise ValueError(f"the secret is too short; SNMP v3 asks for {MIN_PASS_PHRASE} characters")
    return secret


Secret = Annotated[
    SecretStr,
    BeforeValidator(_secret),
    WithJsonSchema({"type": "string", "pattern": REFERENCE}),
]
"""Prints as `**********`; `get_secret_value()` is called where it is sent, nowhere else."""

Secrets = Annotated[
    tuple[SecretStr, ...],
    BeforeValidator(_secrets),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": REFERENCE},
                {"type": "array", "items": {"type": "string", "pattern": REFERENCE}, "minItems": 1},
            ]
        }
    ),
]
"""One secret, or a list of them."""

PassPhrase = Annotated[Secret, AfterValidator(_pass_phrase)]
"""A secret that SNMP v3 makes a key of."""
