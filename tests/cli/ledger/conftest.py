"""A state of two keys, with requests and what is stored of them."""

from pathlib import Path

import pytest

from gateway.app.conversation_key import load_conversation_key
from gateway.core.request import Inherited
from gateway.core.secret import Secret
from gateway.ledger import Ledger, LedgerSettings, shared_store
from gateway.ledger.encryption import Seal
from gateway.stored import Conversation, ResponseStore, StoredResponse, StoreSettings
from tests.ledger.conftest import NOON, make_receipt, make_settlement
from tests.standins.postgresql import Postgresql

DAY = 86_400
NUMBERS = [f"{number:024x}" for number in range(6)]
TALK = f"conv_{7:048x}"


only_sqlite = pytest.mark.parametrize("office", ["sqlite"], indirect=True)
"""For what is about the ledger's file."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A state of two keys: six requests on six days, four of them stored, in two threads and a conversation."""
    state = tmp_path / "state"
    monkeypatch.setenv("ADUANA_STATE_DIR", str(state))
    monkeypatch.setenv("ADUANA_TIMEZONE", "UTC")
    monkeypatch.chdir(tmp_path)
    address: Secret | None = None
    if request.param == "postgresql":
        server: Postgresql = request.getfixturevalue("postgresql")
        address = Secret(server.fresh())
        monkeypatch.setenv("ADUANA_LEDGER", address.reveal())
    ledger = Ledger(LedgerSettings(directory=state, database=address), wall=lambda: NOON + 6 * DAY)
    await ledger.open()
    for number, unique in enumerate(NUMBERS):
        key, user = ("ana", "=maria") if number < 4 else ("ben", None)
        at = NOON + number * DAY
        talk = b"talk" if number in (0, 1) else None
        receipt = make_receipt(f"req_{unique}", received_at=at, key=key, user=user, conversation=talk, tags=("a", "b"))
        await ledger.receive(receipt, None)
        await ledger.settle(make_settlement(f"req_{unique}", settled_at=at + 1, attempts=(("big", "busy"),)))
    await ledger.close()
    place = None if address is None else shared_store(address, None, "responses")
    kept = StoreSettings(directory=state, shared=place)
    store = ResponseStore(kept, Seal(load_conversation_key(state), b"aduana responses 1"))
    await store.open()
    for number, key, previous, talk in (
        (1, "ana", None, None),
        (2, "ana", 1, None),
        (3, "ana", None, TALK),
        (4, "ben", None, None),
    ):
        if talk:
            await store.keep(key, Conversation(id=talk, created=1, metadata={}))
        await store.keep(
            key,
            StoredResponse(
                id=f"resp_{NUMBERS[number]}", items=(), output=(), body=b"{}", inherited=Inherited(),
                previous=None if previous is None else f"resp_{NUMBERS[previous]}", conversation=talk,
            ),
        )  # fmt: skip
    await store.close()
    return state
