"""Records to write and a ledger to write them to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import msgspec
import pytest

from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome, Receipt, Reservation, Settlement
from gateway.core.request import Dialect, Endpoint
from gateway.core.secret import Secret
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings
from tests.standins.postgresql import Postgresql

NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC


class Clock:
    """A wall clock that tests set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def make_receipt(request_id: str = "r1", **changes: object) -> Receipt:
    """A receipt with one field or another changed."""
    fields: dict[str, object] = {
        "request_id": request_id,
        "received_at": NOON,
        "dialect": Dialect.OPENAI,
        "endpoint": Endpoint.CHAT,
        "key": "laptop",
        "user": None,
        "model": "auto",
        "stream": True,
        "label": Label.INTERNAL,
        "label_source": "default",
        "tags": ("client-acme",),
        "categories": (("contact.email", 2),),
        "doubts": (),
        "rule": "otherwise",
        "permitted": ("home", "big"),
        "refusal": None,
        "prompt_tokens": 12,
        "policy_digest": "abc",
        "facts": b"{}",
    }
    return Receipt(**(fields | changes))  # type: ignore[arg-type]


def make_settlement(request_id: str = "r1", **changes: object) -> Settlement:
    """A settlement of a local answer with one field or another changed."""
    fields: dict[str, object] = {
        "request_id": request_id,
        "settled_at": NOON + 1,
        "outcome": Outcome.OK,
        "target": "home",
        "zone": Zone.LOCAL,
        "usage": Usage(input=10, output=5),
        "avoided_micros": 120,
        "first_token_seconds": 0.2,
        "duration_seconds": 0.9,
    }
    return Settlement(**(fields | changes))  # type: ignore[arg-type]


Joined = Callable[..., Awaitable[Ledger]]
CLOUD = Reservation(target="big", zone=Zone.CLOUD, micros=500)


@pytest.fixture
def clock() -> Clock:
    return Clock()


only_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""For tests of what is SQLite's own: its file, its locks, its PRAGMAs."""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Settings of an empty ledger, once in each kind of database."""
    alone = LedgerSettings(directory=tmp_path / "state", timezone="Europe/Madrid")
    if request.param == "sqlite":
        return alone
    server: Postgresql = request.getfixturevalue("postgresql")
    return msgspec.structs.replace(alone, database=Secret(server.fresh()))


def rows(ledger: Ledger, query: str) -> list[tuple[object, ...]]:
    """Return what somebody else reads from a ledger."""
    with closing(ledger.database.reader()) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
async def ledger(settings: LedgerSettings, clock: Callable[[], float]) -> AsyncIterator[Ledger]:
    opened = Ledger(settings, wall=clock)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def join(postgresql: Postgresql, tmp_path: Path, clock: Clock) -> AsyncIterator[Joined]:
    """Open one more gateway's side of a shared ledger."""
    address = Secret(postgresql.fresh())
    async with AsyncExitStack() as stack:
        count = 0

        async def joined(**changes: object) -> Ledger:
            nonlocal count
            count += 1
            settings = LedgerSettings(
                directory=tmp_path / str(count), database=address, timezone="Europe/Madrid",
                write_seconds=60.0, busy_seconds=30.0,  # a busy machine takes long for 300 receipts
            )  # fmt: skip
            ledger = Ledger(msgspec.structs.replace(settings, **changes), wall=clock)
            await ledger.open()
            stack.push_async_callback(ledger.close)
            return ledger

        yield joined


def die(ledger: Ledger) -> None:
    """Let a gateway end without a word, as a crash does: it renews nothing and settles nothing any more."""
    assert ledger._sharing is not None
    ledger._sharing.leave = lambda connection: None  # type: ignore[method-assign]
    ledger._sharing._number = 0
