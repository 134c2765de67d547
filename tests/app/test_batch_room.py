"""When batches may go on: while nothing else runs, in the owner's hours, and while electricity is cheap."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.app.batch_room import batch_room
from gateway.core.target import TargetState
from gateway.settings import Settings
from gateway.settings.kept.batches import BatchesConfig


class Home:
    """A target at home that works on so many requests."""

    def __init__(self, busy: int) -> None:
        self.busy = busy

    def state(self) -> TargetState:
        return TargetState(slots_busy=self.busy)


@pytest.mark.parametrize(
    ("settings", "hour", "price", "busy", "expected"),
    [
        ({}, 12, None, 0, True),
        ({}, 12, None, 1, False),
        ({"when": "always"}, 12, None, 1, True),
        ({"hours": [22, 23]}, 22, None, 0, True),
        ({"hours": [22, 23]}, 12, None, 0, False),
        ({"hours": [12], "when": "always"}, 13, None, 0, False),
        ({"price_up_to": 0.1}, 12, 0.1, 0, True),
        ({"price_up_to": 0.1}, 12, 0.11, 0, False),
        ({"price_up_to": 0.1}, 12, -0.02, 0, True),
        ({"price_up_to": 0.1}, 12, None, 0, False),
        ({"price_up_to": 0.1}, 12, 0.05, 1, False),
    ],
)
def test_a_request_of_a_batch_begins(settings: Any, hour: int, price: float | None, busy: int, expected: bool) -> None:
    """Each condition that the owner sets must hold; a price that nobody knows is not cheap."""
    now = datetime(2026, 11, 28, hour, 30, tzinfo=UTC)
    homes: Any = {"home": Home(busy)}
    assert batch_room(BatchesConfig(**settings), homes, now=lambda: now, price=lambda: price)() is expected


def test_a_price_needs_a_tariff() -> None:
    """Without a tariff no batch would ever begin, so such a configuration does not load."""
    with pytest.raises(ValueError, match=r"set energy\.tariff"):
        Settings(batches={"price_up_to": 0.1})
    assert Settings(batches={"price_up_to": 0.1}, energy={"tariff": {"fixed": 0.2}}).batches.price_up_to == 0.1
