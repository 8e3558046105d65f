"""What the whole suite shares."""

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

# A busy machine is no failure: what takes too long is caught by the suite's own time limit.
hypothesis.settings.register_profile("spotwatch", deadline=None)
hypothesis.settings.load_profile("spotwatch")


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """What a command sets up for its logs ends with its test."""
    handlers, level = list(logging.root.handlers), logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly what a green run did not try."""
    skipped = len(terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.write_line(
            f"{skipped} tests were skipped; the lines above say what each of them needs."
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is installed, a skipped test is a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("SPOTWATCH_NOTHING_SKIPPED") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
