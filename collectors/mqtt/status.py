"""`online` and `offline`: what an AP says of itself, the latter as its last will.

Plain text, or JSON `{"status": "offline"}`; other keys are ignored. A last will is written when the
AP connects, so a time in it says nothing: it counts when it arrives, also when it was retained.
"""

from collectors.mqtt.json_telemetry import parse_object
from collectors.mqtt.telemetry import PayloadError, Telemetry


def parse(payload: bytes) -> Telemetry | None:
    """`offline` is an AP that is down; `online` alone is no reading: telemetry follows."""
    said: object = payload.strip()
    if payload.lstrip().startswith(b"{"):
        text = parse_object(payload).get("status")
        said = text.encode() if isinstance(text, str) else text
    match said:
        case b"offline":
            return Telemetry(is_state=True, up=0)
        case b"online":
            return None
        case _:
            raise PayloadError("format", 'must be online, offline, or {"status": "online"}')
