"""Days, months, quarters and years are read in the zone that was asked for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.cli.audit.evidence.period import span


@pytest.mark.parametrize(
    ("text", "first", "behind"),
    [
        ("2026-07-01", (2026, 7, 1), (2026, 7, 2)),
        ("2026-12-31", (2026, 12, 31), (2027, 1, 1)),
        ("2026-02", (2026, 2, 1), (2026, 3, 1)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("2026-Q3", (2026, 7, 1), (2026, 10, 1)),
        ("2026-q4", (2026, 10, 1), (2027, 1, 1)),
        ("2026", (2026, 1, 1), (2027, 1, 1)),
    ],
)
def test_a_span_begins_and_ends_with_its_days(
    text: str, first: tuple[int, int, int], behind: tuple[int, int, int]
) -> None:
    """Its end is the beginning of the day behind it, summer time or not."""
    for zone in (UTC, ZoneInfo("Europe/Madrid")):
        begin, end = (datetime(*day, tzinfo=zone).timestamp() for day in (first, behind))
        assert span(text, zone, "--from") == (begin, end)
