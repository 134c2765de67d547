"""Facts take a fraction of their size in the ledger, come back as they were, and what is shared names nobody."""

import json
import sqlite3
from pathlib import Path

import pytest

from gateway.ledger import FILE_NAME, History, Ledger, LedgerSettings
from gateway.ledger.packing.facts import Pattern, packed, pattern_of, unpacked
from gateway.ledger.reading.recorded import newest_recorded, recorded
from tests.ledger.conftest import NOON, make_receipt, make_settlement

OWN = ("r1", "maria-laptop", "maria@example.org", "auto", '["client-acme"]')
TARGETS = {
    name: {"queue_depth": 0, "queue_wait_seconds": 0.0, "slots_busy": 0, "slots_total": 8, "latency_seconds": 0.0123}
    for name in ("home", "lan", "claude", "gpt", "gem")
}


def facts(number: int, **changes: object) -> bytes:
    """Facts as a gateway with five targets writes them."""
    budget = {"spent": number / 1000, "resets": "2026-12-01T00:00:00Z"}
    members = {
        "v": 1, "id": f"req_{number:024x}", "model": "auto", "key": "maria-laptop", "user": "maria@example.org",
        "tags": ["client-acme"], "turns": 3, "size": 1000 + number, "now": f"2026-11-23T12:00:{number % 60:02}.123456Z",
        "gpu": {"utilization": None, "memory_used": None, "temperature": None, "power": None},
        "targets": TARGETS | {"home": TARGETS["home"] | {"tokens_per_second": 19.126193106215666 + number}},
        "budgets": {"day": budget, "key:maria-laptop": budget, "month": budget}, "estimate": 300 + number,
        "prices": {"home": 0.0, "claude": 0.96 * number},
    }  # fmt: skip
    return json.dumps(members | changes, separators=(",", ":")).encode()


async def fill(folder: Path, count: int) -> list[bytes]:
    """Record so many requests, one after the other, and return their facts."""
    ledger = Ledger(LedgerSettings(directory=folder))
    await ledger.open()
    written = [facts(number) for number in range(count)]
    for number, text in enumerate(written):
        name = f"req_{number:024x}"
        await ledger.receive(make_receipt(name, facts=text), None)
        await ledger.settle(make_settlement(name))
    await ledger.close()
    return written


async def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    """For replay and diff, the newest and the oldest first, and for the page of a single request."""
    written = await fill(tmp_path, 30)
    assert [row.facts for row in recorded(tmp_path, 0)] == written
    assert [row.facts for row in newest_recorded(tmp_path, 0, 5)] == written[:-6:-1]
    one = History(tmp_path).one(f"req_{7:024x}")
    assert one is not None
    assert one.facts == written[7]


async def test_they_take_a_fifth_and_less(tmp_path: Path) -> None:
    """What all requests have in common is kept once."""
    written = await fill(tmp_path, 40)
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        kept = [size for (size,) in database.execute("SELECT length(facts) FROM receipts ORDER BY seq DESC LIMIT 20")]
    database.close()
    assert sum(kept) < sum(map(len, written[-20:])) / 5


async def test_a_pattern_outlives_restarts_and_another_comes_with_other_targets(tmp_path: Path) -> None:
    """A gateway that starts again goes on with its pattern; where the targets have changed, it makes a better one."""
    await fill(tmp_path, 3)
    await fill_more(tmp_path, "a", [facts(number) for number in range(3)])
    assert patterns(tmp_path) == 1
    others = {f"server-{number}": {"latency_seconds": 0.7 / (number + 3)} for number in range(12)}
    await fill_more(tmp_path, "b", [facts(number, targets=others) for number in range(20)])
    assert patterns(tmp_path) == 2
    assert [json.loads(row.facts)["size"] for row in recorded(tmp_path, 0)][-2:] == [1018, 1019]


async def fill_more(folder: Path, prefix: str, texts: list[bytes]) -> None:
    """Record requests with these facts in a ledger that is there."""
    ledger = Ledger(LedgerSettings(directory=folder))
    await ledger.open()
    for number, text in enumerate(texts):
        await ledger.receive(make_receipt(f"{prefix}{number}", facts=text), None)
        await ledger.settle(make_settlement(f"{prefix}{number}"))
    await ledger.close()


def patterns(folder: Path) -> int:
    """Return how many patterns there are."""
    with sqlite3.connect(folder / FILE_NAME) as database:
        (count,) = database.execute("SELECT count(*) FROM fact_patterns").fetchone()
    database.close()
    return int(count)


def test_what_is_shared_names_nobody() -> None:
    """A pattern stays when somebody is erased, so it has no key, user, tag, model or time of a request."""
    content = pattern_of(facts(5, findings=[["health.diagnosis", 2, 0.9]]))
    assert b"claude" in content
    for personal in (b"maria", b"req_", b"acme", b"health.diagnosis", b"2026-11"):
        assert personal not in content, personal


@pytest.mark.parametrize("text", [b"{}", b"{" + b" " * 80 + b"}", b"no json at all" * 20])
def test_facts_that_are_none_are_kept_as_they_are(text: bytes) -> None:
    """Whatever is given is given back."""
    pattern = Pattern(3, pattern_of(facts(1)))
    number, kept = packed(text, OWN, pattern)
    assert unpacked(kept, OWN, pattern.content if number is not None else None) == text


def test_what_the_receipt_says_itself_is_not_kept_again() -> None:
    """A key, a user and tags stand beside the facts anyway, so that long ones make no facts longer."""
    pattern = Pattern(3, pattern_of(facts(1)))
    sizes = []
    for key, user in (("laptop", "ana"), ("a" + "-very-long" * 9, "somebody with ünusual letters" * 5)):
        own = (f"req_{5:024x}", key, user, "auto", '["client-acme"]')
        text = facts(5, key=key, user=user).replace(b"maria-laptop", key.encode())
        text = json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False).encode()
        number, kept = packed(text, own, pattern)
        assert number == 3
        assert unpacked(kept, own, pattern.content) == text
        sizes.append(len(kept))
    assert sizes[1] < sizes[0] + 20


def test_facts_that_would_fill_the_memory_are_refused() -> None:
    """A long name that stands in somebody's facts a million times is not put there."""
    pattern = Pattern(1, pattern_of(facts(1)))
    with pytest.raises(ValueError, match="much too long"):
        unpacked(pattern.pack(b"\1" * 10**6), ("r", "x" * 10**6, None, "m", "[]"), pattern.content)


def test_damage_is_noticed() -> None:
    """Facts that were cut, or lost their pattern, are refused, not taken for others."""
    pattern = Pattern(1, pattern_of(facts(1)))
    kept = pattern.pack(facts(2))
    with pytest.raises(ValueError, match="can't be unpacked"):
        unpacked(kept[:-5], OWN, pattern.content)
    with pytest.raises(ValueError, match="can't be unpacked"):
        unpacked(kept, OWN, b"")


async def test_an_older_ledger_goes_on(tmp_path: Path) -> None:
    """Rows that were written without packing are read beside the new ones."""
    await fill(tmp_path, 2)
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("UPDATE receipts SET facts = ?, pattern = NULL WHERE seq = 1", (facts(77),))
    database.close()
    await fill_more(tmp_path, "n", [facts(5)])
    assert [json.loads(row.facts)["size"] for row in recorded(tmp_path, NOON - 1)] == [1077, 1001, 1005]
