"""Words that many receipts have in common are kept once, are read as they were, and tell of nobody."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gateway.ledger import FILE_NAME, Ledger, LedgerSettings
from gateway.ledger.packing.phrases import Phrases
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS
from tests.ledger.conftest import make_receipt, make_settlement, rows

WORDS = "dialect, endpoint, label_source, rule, permitted, policy_digest"
SAID = ("openai", "chat", "default", "otherwise", '["home","big"]', "abc")
BEFORE = 13  # the last version without phrases


async def ask(ledger: Ledger, *names: str, **changes: object) -> None:
    """Record these requests, one after the other."""
    for name in names:
        await ledger.receive(make_receipt(name, **changes), None)
        await ledger.settle(make_settlement(name))


async def test_they_are_kept_once_and_read_as_they_were(ledger: Ledger) -> None:
    """Some receipts later the words of a decision take no room in a receipt, and nobody who reads them notices."""
    await ask(ledger, *"abcdefgh")
    assert rows(ledger, f"SELECT {WORDS} FROM phrases") == [SAID]
    assert rows(ledger, "SELECT rule, permitted FROM receipts ORDER BY seq DESC LIMIT 2") == [("", "")] * 2
    assert rows(ledger, f"SELECT {WORDS} FROM whole_receipts ORDER BY seq") == [SAID] * 8


async def test_words_that_come_once_stand_in_their_receipt(ledger: Ledger) -> None:
    """Whoever asks each time in another way fills the ledger with no phrases."""
    for number in range(20):
        await ask(ledger, f"r{number}", rule=f"rule {number}")
    assert rows(ledger, "SELECT count(*) FROM phrases") == [(0,)]
    assert rows(ledger, "SELECT rule FROM whole_receipts WHERE seq = 12") == [("rule 11",)]


def test_there_are_never_more_than_some() -> None:
    """Orders of many targets, each of which comes again, are kept as far as there is room for them."""
    phrases, kept = Phrases(), 0
    for number in sorted([*range(1_500)] * 2):
        phrases.number((str(number),))
        words = phrases.wanted()
        if words is not None:
            kept += 1
            phrases.learn(words, kept)
    assert kept == 1_000


async def test_a_restart_goes_on_with_them(settings: LedgerSettings, clock: Callable[[], float]) -> None:
    """The first receipt after it has its phrase, and none is kept twice."""
    for name in ("first", "again"):
        ledger = Ledger(settings, wall=clock)
        await ledger.open()
        await ask(ledger, *(f"{name}{number}" for number in range(5)))
        await ledger.close()
    assert rows(ledger, "SELECT count(*) FROM phrases") == [(1,)]
    assert rows(ledger, "SELECT count(*) FROM receipts WHERE seq > 5 AND phrase IS NULL") == [(0,)]


async def test_they_stay_when_requests_go(ledger: Ledger) -> None:
    """So there is nothing of key, user, model, tags or time in them."""
    await ask(ledger, *"abcdef", user="maria@example.org", tags=("client-acme",))
    ((text,),) = rows(ledger, f"SELECT {WORDS.replace(', ', ' || ')} FROM phrases")
    assert not any(word in str(text) for word in ("laptop", "maria", "auto", "acme", "17954"))


async def test_an_older_ledger_goes_on(tmp_path: Path) -> None:
    """Receipts of a version without phrases say what they said, and what comes is written beside them."""
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as old:
        old.executescript(
            f"PRAGMA application_id = {APPLICATION_ID};{''.join(MIGRATIONS[:BEFORE])}PRAGMA user_version = {BEFORE};"
        )
        old.execute(
            "INSERT INTO receipts (seq, request_id, received_at, dialect, endpoint, key, model, stream, label, "
            "label_source, tags, categories, doubts, rule, permitted, policy_digest, facts) VALUES "
            "(1, 'old', 5.0, 'ollama', 'chat', 'k', 'm', 0, 1, 'tag', '[]', '[]', '[]', 'then', '[]', 'd', ?)",
            (b"{}",),
        )
        old.commit()
    ledger = Ledger(LedgerSettings(directory=tmp_path, keep_days=0))
    await ledger.open()
    await ask(ledger, *"abcdef")
    await ledger.close()
    found = rows(ledger, f"SELECT {WORDS} FROM whole_receipts ORDER BY seq")
    assert found == [("ollama", "chat", "tag", "then", "[]", "d"), *[SAID] * 6]
