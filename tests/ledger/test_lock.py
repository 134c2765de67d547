"""One gateway for each state directory."""

import os

import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.ledger import Ledger, LedgerSettings
from tests.ledger.conftest import make_receipt


async def test_a_second_gateway_on_the_same_state_is_told_so(settings: LedgerSettings) -> None:
    """The second one fails with the first one's process id; when the first has gone, it may come."""
    first, second = Ledger(settings), Ledger(settings)
    await first.open()
    with pytest.raises(LedgerUnavailable, match=rf"Another gateway \(process {os.getpid()}\)"):
        await second.open()
    await first.receive(make_receipt(), None)
    await first.close()
    await second.open()
    await second.close()
