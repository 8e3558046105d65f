"""What the whole suite shares."""

import os

import hypothesis
import pytest

# A busy machine is no failure: what takes too long is caught by the suite's own time limit.
hypothesis.settings.register_profile("spotwatch", deadline=None)
hypothesis.settings.load_profile("spotwatch")


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
