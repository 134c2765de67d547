"""Process that writes to a ledger as a gateway does, and names each record that was acknowledged, until it dies."""

import asyncio
import itertools
import os
import signal

from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, Outcome, Receipt, Reservation, Settlement
from gateway.core.request import Dialect, Endpoint
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings

NOON = 1_795_435_200.0
COST = 3
ENERGY = 7
_AT_ONCE = 8


def run(settings: LedgerSettings, name: str, told: int) -> None:
    """Write until this process is killed; `told` is the descriptor that acknowledged records are named on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_write(settings, name, told))


async def _write(settings: LedgerSettings, name: str, told: int) -> None:
    ledger = Ledger(settings, wall=lambda: NOON)
    await ledger.open()
    os.write(told, f"open {name}\n".encode())
    numbers = itertools.count()

    async def requests(lane: int) -> None:
        for number in numbers:
            request_id = f"{name}-{number}"
            await ledger.receive(_receipt(request_id), Reservation(target="big", zone=Zone.CLOUD, micros=COST))
            os.write(told, f"receipt {request_id}\n".encode())
            if number % 5 == 4:
                continue  # still running when the end comes
            await ledger.settle(_settlement(request_id))
            os.write(told, f"settlement {request_id}\n".encode())
            if lane == 0:
                os.write(told, f"accruing {request_id}\n".encode())
                await ledger.accrue([_accrual()])
                os.write(told, f"accrued {request_id}\n".encode())
                await ledger.taint_remember([_turn(request_id)], Label.SENSITIVE)
                os.write(told, f"taint {request_id}\n".encode())

    await asyncio.gather(*(requests(lane) for lane in range(_AT_ONCE)))


def turn_of(request_id: str) -> bytes:
    """Return the hash that is remembered with a request."""
    return _turn(request_id)


def _turn(request_id: str) -> bytes:
    return request_id.encode().ljust(16, b".")[:16]


def _receipt(request_id: str) -> Receipt:
    return Receipt(
        request_id=request_id,
        received_at=NOON,
        dialect=Dialect.OPENAI,
        endpoint=Endpoint.CHAT,
        key="laptop",
        user=None,
        model="auto",
        stream=True,
        label=Label.INTERNAL,
        label_source="default",
        tags=(),
        categories=(),
        doubts=(),
        rule="otherwise",
        permitted=("big",),
        refusal=None,
        prompt_tokens=12,
        policy_digest="abc",
    )


def _settlement(request_id: str) -> Settlement:
    return Settlement(
        request_id=request_id,
        settled_at=NOON + 1,
        outcome=Outcome.OK,
        target="big",
        zone=Zone.CLOUD,
        usage=Usage(input=1, output=1),
        cost_micros=COST,
        duration_seconds=0.1,
        attempts=(("home", "target_timeout"),),
    )


def _accrual() -> Accrual:
    return Accrual(at=NOON, device="gpu", state="idle", source="power", microjoules=ENERGY)
