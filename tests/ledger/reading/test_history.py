"""Single requests are found in the ledger: by outcome, label, target, key and category, page by page."""

from pathlib import Path

import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome
from gateway.ledger import History, Ledger, LedgerSettings
from gateway.ledger.reading.history import RUNNING, Search
from tests.ledger.conftest import make_receipt, make_settlement


async def written(folder: Path) -> History:
    """Write some requests, and return what finds them."""
    ledger = Ledger(LedgerSettings(directory=folder))
    await ledger.open()
    for number in range(6):
        receipt = make_receipt(
            f"r{number}",
            key="laptop" if number % 2 else "phone",
            label=Label.SENSITIVE if number < 2 else Label.INTERNAL,
            categories=(("financial.iban", 2),) if number == 1 else (),
            masked=(("financial.iban", 1),) if number == 1 else (),
        )
        await ledger.receive(receipt, None)
        if number < 5:
            cloud = number == 4
            outcome = Outcome.ERROR if number == 3 else Outcome.OK
            settlement = make_settlement(
                f"r{number}",
                outcome=outcome,
                target="big" if cloud else "home",
                zone=Zone.CLOUD if cloud else Zone.LOCAL,
                attempts=(("home", "target_unavailable"),) if cloud else (),
            )
            await ledger.settle(settlement)
    await ledger.receive(make_receipt("shadow", shadow=True), None)
    await ledger.close()
    return History(folder)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({}, "543210"),
        ({"count": 2}, "54"),
        ({"before": 4}, "210"),
        ({"outcome": RUNNING}, "5"),
        ({"outcome": "unknown"}, ""),
        ({"outcome": "error"}, "3"),
        ({"label": 2}, "10"),
        ({"target": "big"}, "4"),
        ({"key": "laptop"}, "531"),
        ({"category": "financial.iban"}, "1"),
        ({"category": "financial"}, "1"),
        ({"category": "iban"}, ""),
        ({"category": '"%'}, ""),
        ({"key": "x' OR 1=1 --"}, ""),
    ],
)
async def test_what_is_looked_for_is_found(tmp_path, search, found) -> None:
    """The newest come first; a request that was only compared is left out; quotes mean nothing."""
    history = await written(tmp_path)
    assert [row.request_id for row in history.find(Search(**search))] == [f"r{number}" for number in found]


async def test_one_request_is_told_whole(tmp_path) -> None:
    """What was found, what went out masked, which tries failed; one that runs has no outcome."""
    history = await written(tmp_path)
    one = history.one("r1")
    assert one is not None
    assert one.request.categories == (("financial.iban", 2),)
    assert one.request.masked == (("financial.iban", 1),)
    assert (one.permitted, one.policy_digest, one.input) == (("home", "big"), "abc", 10)
    assert one.microjoules is None
    fallen = history.one("r4")
    assert fallen is not None
    assert fallen.attempts == (("home", "target_unavailable"),)
    running = history.one("r5")
    assert running is not None
    assert running.request.outcome is None
    assert history.one("nobody") is None


def test_without_a_ledger_it_says_so(tmp_path) -> None:
    """Before the first start there is nothing to search."""
    with pytest.raises(LedgerUnavailable, match="begins with"):
        History(tmp_path).find(Search())
