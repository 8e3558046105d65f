"""A process that decides messages, and sends them if asked to; killed in the middle by its test.

`python -m tests.pipeline.alerts.decides FOLDER URL decide|send COUNT`
"""

import sys
import threading
import time
from pathlib import Path

from pydantic import SecretStr

from config.settings import Alerts, AppriseNotifier
from pipeline.alerts.alerting import Alerting
from tests.pipeline.alerts.town import MINUTE, incident, town


def alerts(url: str) -> Alerts:
    """Everybody at once."""
    return Alerts(notifiers={"oncall": AppriseNotifier(url=(SecretStr(url),))}, group_seconds=0)


if __name__ == "__main__":
    _, folder, url, what, count = sys.argv
    alerting = Alerting(town(Path(folder), alerts(url)))
    if what == "send":
        alerting.start()
    known = []
    # What is older than a day is not delivered any more.
    since_ms = time.time_ns() // 1_000_000 - int(count) * MINUTE
    for number in range(int(count)):
        now_ms = since_ms + number * MINUTE
        known.append(incident("ap", "bib-1", start_ms=now_ms))
        alerting.tick(known, now_ms, lambda _site, _now_ms: False)
    sys.stdout.write("decided\n")
    sys.stdout.flush()
    threading.Event().wait()
