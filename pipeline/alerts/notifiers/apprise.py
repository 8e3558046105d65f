"""apprise: mail, Teams, Slack, ntfy, SMS gateways, MQTT and 100 more, each by a URL.

The only module that imports it. Its URLs carry passwords and tokens: nothing that it says leaves
this module before every part of the URL is taken out of it, and its own log is silent.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import apprise
from pydantic import SecretStr

from pipeline.alerts.message import Kind, Message
from pipeline.alerts.notifiers.base import UndeliveredError, UnusableError

PATIENCE_S: Final = 60.0
"""For one message, whatever the service does."""
MASK: Final = "***"
SCHEME: Final = re.compile(r"^([A-Za-z0-9]{2,20})://")
SHORTEST_SECRET: Final = 3
"""Parts of a URL of fewer characters say nothing, and stand in every sentence."""
SHORT_LINE: Final = 160
LOOK_UP: Final = "look up how it is written at https://appriseit.com/services/"

_TYPES: Final[dict[Kind, apprise.NotifyType]] = {
    "opened": apprise.NotifyType.FAILURE,
    "flapping": apprise.NotifyType.FAILURE,
    "escalated": apprise.NotifyType.FAILURE,
    "reminder": apprise.NotifyType.WARNING,
    "resolved": apprise.NotifyType.SUCCESS,
    "withdrawn": apprise.NotifyType.SUCCESS,
    "test": apprise.NotifyType.INFO,
}

_library_log = logging.getLogger("apprise")
_library_log.setLevel(logging.WARNING)
_library_log.propagate = False
_library_log.addHandler(logging.NullHandler())


class AppriseNotifier:
    """One URL."""

    renew_s = 0.0

    def __init__(self, url: SecretStr, *, short: bool = False) -> None:
        """Raises UnusableError where apprise cannot make anything of the URL."""
        self._secrets = _parts(url.get_secret_value())
        self._short = short
        asset = apprise.AppriseAsset(
            app_id="Spotwatch",
            app_desc="Spotwatch",
            secure_logging=True,
            # Nothing of what passes is kept on disk.
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            service_timeout=PATIENCE_S,
        )
        self._service = apprise.Apprise(asset=asset)
        with _loading():
            plugin = apprise.Apprise.instantiate(url.get_secret_value(), asset=asset)
            if plugin is None:
                raise UnusableError(_what_is_wrong(url))
        self._service.add(plugin)

    def send(self, message: Message, now_ms: int) -> None:  # noqa: ARG002 - of no use to people
        """Return once the service took it over."""
        said: list[str] = []

        def listen(entry: Any, service: Any) -> None:  # noqa: ARG001
            said.append(entry.message)

        taken = self._service.notify(
            title="" if self._short else message.subject,
            body=_cut(message.line) if self._short else message.body,
            notify_type=_TYPES[message.kind],
            body_format=apprise.NotifyFormat.TEXT,
            log_callback=listen,
            log_level=logging.WARNING,
        )
        if not taken:
            reason = "; ".join(dict.fromkeys(said)) or "the service did not take it"
            raise UndeliveredError(self._masked(reason))

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def __repr__(self) -> str:
        return "AppriseNotifier(url=**********)"


@contextmanager
def _loading() -> Iterator[None]:
    """apprise loads its services when they are needed; its mail looks for a module of old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _what_is_wrong(url: SecretStr) -> str:
    match = SCHEME.match(url.get_secret_value())
    scheme = match[1].lower() if match else ""
    for service in apprise.Apprise().details(show_disabled=True, show_requirements=True)["schemas"]:
        if scheme in (*(service["protocols"] or ()), *(service["secure_protocols"] or ())):
            needed = service["requirements"]["packages_required"]
            if not service["enabled"] and needed:
                return f"{scheme}:// needs a package that is not installed: {', '.join(needed)}"
            return f"is not a whole {scheme}:// URL; {LOOK_UP}"
    return (
        "does not begin as a URL of apprise does, such as mailtos://, msteams://, slack://, "
        f"ntfys:// or json://; {LOOK_UP}"
    )


def _parts(url: str) -> list[str]:
    """Everything in a URL that may be a secret, the longest first."""
    rest = SCHEME.sub("", url)
    parts = {url, rest}
    for text in (rest, unquote(rest)):
        parts.update(re.split(r"[/?&=:@,;#\s]+", text))
    parts |= {unquote(part) for part in parts}
    # The names in a query are no secrets, and some are words of every sentence.
    parts -= set(re.findall(r"[?&]([a-z]+)=", rest))
    long = (part for part in parts if len(part) >= SHORTEST_SECRET)
    return sorted(long, key=len, reverse=True)


def _cut(line: str) -> str:
    return line if len(line) <= SHORT_LINE else line[: SHORT_LINE - 1] + "…"
