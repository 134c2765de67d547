"""Ledgers with known content, and commands' arguments, for the tests of the commands."""

import argparse
import sqlite3
import time
from pathlib import Path
from types import ModuleType

from gateway.core.labels import Label, Zone
from gateway.core.record import Accrual, Outcome, Receipt, Settlement
from gateway.core.snapshot import Snapshot
from gateway.core.usage import Usage
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS, migrate
from gateway.policy import facts_json
from tests.observe.conftest import NOON, make_receipt, make_settlement
from tests.policy.house import evidence_for, found, inbound

DAY = 86_400
CANARY = "CANARY-sk-3f9a"


async def fill(directory: Path) -> None:
    """Fill a ledger with three days: local and cloud answers, a refusal, a failure, an unpriced one."""
    ledger = Ledger(
        LedgerSettings(directory=directory, unpriced_targets=frozenset({"odd"})), wall=lambda: NOON - 2 * DAY
    )
    await ledger.open()

    async def one(receipt: Receipt, settlement: Settlement) -> None:
        await ledger.receive(receipt, None)
        await ledger.settle(settlement)

    for number in range(6):
        at = NOON - number % 3 * DAY
        await one(
            make_receipt(f"l{number}", received_at=at - 1, key="laptop", facts=CANARY.encode()),
            make_settlement(f"l{number}", settled_at=at, avoided_micros=1_000_000 * (number % 3 + 1)),
        )
    cloud = {"target": "big", "zone": Zone.CLOUD, "avoided_micros": None, "usage": Usage(input=100, output=50)}
    for number in range(2):
        at = NOON - number * DAY
        await one(
            make_receipt(f"c{number}", key="phone", rule="=cmd|' /C calc'!A0", received_at=at),
            make_settlement(f"c{number}", settled_at=at, cost_micros=250_000, **cloud),
        )
    refused = {"outcome": Outcome.REFUSED, "target": None, "zone": None, "avoided_micros": None, "usage": Usage()}
    await one(make_receipt("r", label=Label.SENSITIVE, permitted=()), make_settlement("r", settled_at=NOON, **refused))
    await one(make_receipt("f"), make_settlement("f", settled_at=NOON, outcome=Outcome.ERROR, avoided_micros=9_000_000))
    await one(make_receipt("u", key="phone"), make_settlement("u", settled_at=NOON, **{**cloud, "target": "odd"}))
    await ledger.accrue(
        [
            Accrual(
                at=NOON - 7200,
                device="gpu0",
                state="request",
                source="counter",
                microjoules=3_600_000_000,
                electricity_micros=700_000,
                hardware_micros=1_300_000,
            )
        ]
    )
    await ledger.close()


def parse(module: ModuleType, *arguments: str) -> argparse.Namespace:
    """Return the arguments as the command sees them."""
    parser = argparse.ArgumentParser()
    module.add_parser(parser.add_subparsers())
    parsed: argparse.Namespace = parser.parse_args([module.__name__.rsplit(".", 1)[-1], *arguments])
    return parsed


def write(folder: Path, name: str, text: str) -> str:
    """Write a policy file, and return its path."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def record_three(folder: Path) -> None:
    """Record three requests: a public one that went out, an internal one at home, a long private one refused."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "ledger.sqlite3")
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID};{MIGRATIONS[0]}PRAGMA user_version = 1;")
    now = time.time()
    rows = [
        (inbound(tags=("public",), id="r1"), found(), Snapshot(prompt_tokens_estimate=7000, prices={"big": 0.02}),
         ("big", "cloud", "ok", 20_000, 0.5)),
        (inbound(id="r2"), found(), Snapshot(prompt_tokens_estimate=100), ("home", "local", "ok", 0, 0.1)),
        (inbound(tags=("health",), id="r3"), found(), Snapshot(prompt_tokens_estimate=9000),
         (None, None, "refused", 0, None)),
    ]  # fmt: skip
    for number, (asked, seen, snapshot, (target, zone, outcome, cost, first)) in enumerate(rows, 1):
        facts = facts_json(evidence_for(asked, seen, snapshot))
        connection.execute(
            "INSERT INTO receipts VALUES (?,?,?,'openai','chat','anonymous',NULL,'auto',0,0,'tag','[]','[]','[]','r',"
            "'[]',NULL,1,'d',?)", (number, asked.id, now - 60, facts),
        )  # fmt: skip
        connection.execute(
            "INSERT INTO settlements VALUES (?,?,?,?,?,NULL,1,0,1,0,0,?,NULL,?,1.0)",
            (number, now, outcome, target, zone, cost, first),
        )
    connection.execute("INSERT INTO receipts SELECT 9,'old',0,dialect,endpoint,key,user,model,stream,label,"
                       "label_source,tags,categories,doubts,rule,permitted,refusal,prompt_tokens,policy_digest,facts "
                       "FROM receipts WHERE seq = 1")  # fmt: skip
    connection.commit()
    migrate(connection, 1)
    connection.close()
