"""The clock of the machine's own zone, whose offset is remembered for a while."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.app.service.local_clock import LocalClock


@pytest.fixture
def madrid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the machine stand in Madrid."""
    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("madrid")
@pytest.mark.parametrize("change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_clocks_are_changed_in_the_very_second(change: datetime) -> None:
    """The last second before summer or winter time has the old offset, the next one the new, as the system says."""
    at = [0.0]
    clock = LocalClock(lambda: at[0])
    for seconds in (-901, -1, 0, 1, 900):
        moment = change + timedelta(seconds=seconds)
        at[0] = moment.timestamp()
        assert clock.now() == moment
        assert clock.now().utcoffset() == moment.astimezone().utcoffset()
