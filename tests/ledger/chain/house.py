"""A recorded week with signed checkpoints, and somebody with write access to everything on the gateway's machine."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from gateway.app.checkpoints.keeper import CheckpointKeeper, CheckpointSettings
from gateway.app.checkpoints.key import load_signer
from gateway.core.labels import Label, Zone
from gateway.core.secret import Secret
from gateway.ledger import Ledger, LedgerSettings
from gateway.ledger.chain.commitments import (
    LATER_IN_RECEIPT,
    RECEIPT,
    SETTLEMENT,
    receipt_commitment,
    settlement_commitment,
)
from gateway.ledger.chain.links import NOTHING, Link, LinkKind
from gateway.ledger.chain.signing import public_pem
from tests.ledger.conftest import NOON, make_receipt, make_settlement

STEP = 60.0  # seconds between two requests


class Office:
    """A gateway's ledger in `state`, its file of checkpoints in `elsewhere`, the auditor's copy of the public key."""

    def __init__(self, folder: Path, name: str = "state", *, address: Secret | None = None) -> None:
        self.state = folder / name
        self.file = folder / "elsewhere" / "aduana.checkpoints"
        self.public_key = folder / f"{name}.pub"
        self.file.parent.mkdir(exist_ok=True)
        self.now = NOON
        self.asked = 0
        self.ledger = Ledger(LedgerSettings(directory=self.state, database=address), wall=lambda: self.now)
        self.keeper = CheckpointKeeper(self.ledger, self.state, CheckpointSettings(file=self.file))

    @property
    def database(self) -> Path:
        return self.state / "ledger.sqlite3"

    async def open(self) -> "Office":
        await self.ledger.open()
        await self.keeper.open()
        signer = load_signer(self.state)
        assert signer is not None
        self.public_key.write_text(public_pem(signer.public))
        return self

    async def ask(self, count: int = 1, **changes: object) -> None:
        """Answer so many requests: sensitive ones at home, every third in the cloud, as a good gateway does."""
        for _ in range(count):
            self.asked += 1
            self.now += STEP
            name = f"r{self.asked}" if self.ledger.database.shared is False else f"{self.state.name}-r{self.asked}"
            kind = self.asked % 3
            fields: dict[str, object] = {"tags": ("patient",) if kind == 1 else ("office",), "received_at": self.now}
            cloud = kind == 0
            if cloud:
                fields |= {"permitted": ("big", "home"), "zones": (Zone.CLOUD, Zone.LOCAL), "label": Label.PUBLIC}
            else:
                label = Label.SENSITIVE if kind == 1 else Label.INTERNAL
                fields |= {"permitted": ("home",), "zones": (Zone.LOCAL,), "label": label}
            receipt = make_receipt(name, **(fields | changes))
            await self.ledger.receive(receipt, None)
            target = {"target": "big", "zone": Zone.CLOUD} if cloud else {"target": "home", "zone": Zone.LOCAL}
            await self.ledger.settle(make_settlement(name, settled_at=self.now + 1, **target))

    async def close(self) -> None:
        await self.keeper.close()
        await self.ledger.close()


async def recorded(folder: Path, count: int = 30, *, every: int = 10) -> Office:
    """Record so many requests with a checkpoint every few, and close everything."""
    office = await Office(folder).open()
    for done in range(0, count, every):
        await office.ask(min(every, count - done))
        await office.keeper.sign()
    await office.close()
    return office


def tamper(database: Path, *statements: str, recompute: bool = False) -> None:
    """Change the ledger behind the gateway's back; `recompute`: cover it up in the chain, as far as anybody can."""
    connection = sqlite3.connect(database)
    for statement in statements:
        connection.execute(statement)
    if recompute:
        _recompute(connection)
    connection.commit()
    connection.close()


def _recompute(connection: sqlite3.Connection) -> None:
    """Make links and head fit what the rows say now: whoever can write the ledger can do that."""
    kept = []
    for row in connection.execute("SELECT * FROM chain_links ORDER BY number").fetchall():
        link = Link(*row)
        commitment = _commitment(connection, link)
        if commitment is not None:
            kept.append(link._replace(commitment=commitment))
    connection.execute("DELETE FROM chain_links")
    head = NOTHING
    for number, link in enumerate(kept, 1):
        link = link._replace(number=number)
        head = link.head(head)
        connection.execute("INSERT INTO chain_links VALUES (?,?,?,?,?,?,?,?)", link)
    connection.execute("UPDATE chain_head SET number = ?, head = ?", (len(kept), head))


def _commitment(connection: sqlite3.Connection, link: Link) -> bytes | None:
    """Return what the link would have to commit to; None: its row is gone, so it has to go too."""
    if link.kind not in (LinkKind.RECEIPT, LinkKind.SETTLEMENT):
        return link.commitment
    receipt = link.kind == LinkKind.RECEIPT
    table, columns = ("whole_receipts", (*RECEIPT, *LATER_IN_RECEIPT)) if receipt else ("settlements", SETTLEMENT)
    row = connection.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE seq = ?", (link.seq,)).fetchone()
    salt = connection.execute("SELECT salt FROM chain_salts WHERE seq = ?", (link.seq,)).fetchone()
    if row is None or salt is None:
        return None
    return receipt_commitment(salt[0], row) if receipt else settlement_commitment(salt[0], row, [], None)


Tampering = Callable[[Office], None]


def delete(office: Office, where: str, *, recompute: bool = False) -> None:
    """Delete requests with all that belongs to them."""
    tamper(
        office.database,
        *(f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM receipts WHERE {where})"
          for table in ("settlements", "chain_salts", "receipts")),
        recompute=recompute,
    )  # fmt: skip


# Name → what is done → the fault that has to be found.
TAMPERINGS: dict[str, tuple[Tampering, str]] = {
    "one field changed": (
        lambda office: tamper(office.database, "UPDATE receipts SET key = 'somebody' WHERE seq = 7"),
        "receipt_changed",
    ),
    "words that many receipts share": (
        lambda office: tamper(office.database, "UPDATE phrases SET rule = 'another'"),
        "receipt_changed",
    ),
    "other words than the shared ones": (
        lambda office: tamper(office.database, "UPDATE receipts SET rule = 'another' WHERE seq = 27"),
        "receipt_changed",
    ),
    "a label lowered in row and link": (
        lambda office: tamper(
            office.database,
            "UPDATE receipts SET label = 0 WHERE seq = 7",
            "UPDATE chain_links SET label = 0 WHERE kind = 2 AND seq = 7",
        ),
        "receipt_changed",
    ),
    "tags that can't be read": (
        lambda office: tamper(office.database, "UPDATE receipts SET tags = '[' WHERE seq = 7"),
        "receipt_changed",
    ),
    "a link that denies the cloud and the chain recomputed": (
        lambda office: tamper(
            office.database, "UPDATE chain_links SET zones = 'l' WHERE kind = 3 AND seq = 6", recompute=True
        ),
        "link_changed",
    ),
    "a row removed from the middle": (lambda office: delete(office, "seq = 12"), "receipt_removed"),
    "the link removed with it": (
        lambda office: (
            delete(office, "seq = 12"),
            tamper(office.database, "DELETE FROM chain_links WHERE seq = 12 AND kind = 2"),
        )[0],
        "link_missing",
    ),
    "a settlement rewritten": (
        lambda office: tamper(office.database, "UPDATE settlements SET target = 'home', zone = 'local' WHERE seq = 6"),
        "settlement_changed",
    ),
    "a failed try struck out": (
        lambda office: tamper(office.database, "INSERT INTO attempts VALUES (4, 0, 'home', 'timeout')"),
        "settlement_changed",
    ),
    "a request made up": (
        lambda office: tamper(
            office.database,
            "INSERT INTO receipts SELECT 99, 'r99', received_at, dialect, endpoint, key, user, model, stream, label, "
            "label_source, tags, categories, doubts, rule, permitted, refusal, prompt_tokens, policy_digest, facts, "
            "shadow, budget, masked, pattern, conversation, phrase FROM receipts WHERE seq = 1",
        ),
        "added",
    ),
    "the newest 10 deleted and the chain recomputed": (
        lambda office: delete(office, "seq > 20", recompute=True),
        "checkpoint_beyond",
    ),
    "one deleted in the middle and the chain recomputed": (
        lambda office: delete(office, "seq = 12", recompute=True),
        "checkpoint_differs",
    ),
    "a settlement rewritten and the chain recomputed": (
        lambda office: tamper(
            office.database, "UPDATE settlements SET target = 'home', zone = 'local' WHERE seq = 6", recompute=True
        ),
        "checkpoint_differs",
    ),
}
