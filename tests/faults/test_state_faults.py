"""A state directory that lost its key or its ledger: nothing goes to a cloud until the owner has accepted it."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.app.wiring import running
from gateway.settings import Settings
from tests.faults.fault_server import GOOD, FaultServer
from tests.faults.house import POLICY, PROVIDER_KEY, House, get, until_ready

NAMES = ("taint.key", "ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "state.json")


@asynccontextmanager
async def started(folder: Path, *, accept_loss: bool = False) -> Any:
    """A gateway on that state directory, with a budget."""
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "key").write_text(PROVIDER_KEY)
    async with FaultServer(GOOD) as cloud, FaultServer(GOOD) as home:
        shared = {"kind": "openai", "api_key": f"file:{folder / 'key'}"}
        config = Settings(
            server={"port": 0, "drain_seconds": 0.5},
            state_dir=folder / "state",
            policy=(folder / "policy.yaml",),
            budgets={"day_usd": 5.0},
            prices={"overrides": {"big-1": {"input": 1.0, "output": 1.0}}},
            targets={
                "den": shared | {"zone": "local", "base_url": home.base_url, "model": "den-1"},
                "big": shared | {"zone": "cloud", "base_url": cloud.base_url, "model": "big-1", "ceiling": "public"},
            },
        )
        async with running(config, accept_loss=accept_loss) as gateway:
            house = House(gateway.url, folder / "state", cloud, home)
            await until_ready(house)
            yield house


async def leaves(house: House) -> bool:
    """Return whether a public request is sent to the cloud; it is answered in any case."""
    before = len(house.big.posts)
    assert (await house.ask(x_aduana_tags="public")).status == 200
    return len(house.big.posts) > before


async def said(house: House) -> str:
    """Return what `/readyz` and the page say of the state, the same on both; empty: nothing."""
    told = json.loads((await get(house, "/readyz")).body).get("state_problem", "")
    page = (await get(house, "/")).body.decode()
    assert ("--accept-loss" in page) is bool(told)
    return str(told)


def kept(state: Path) -> dict[str, bytes]:
    """Return the files of a state directory, as a backup has them."""
    return {name: (state / name).read_bytes() for name in NAMES if (state / name).exists()}


def gone(name: str) -> Callable[[Path], None]:
    return lambda state: (state / name).unlink()


def zeroed(name: str) -> Callable[[Path], None]:
    return lambda state: (state / name).write_bytes(b"")


def emptied_key(state: Path) -> None:
    (state / "taint.key").write_bytes(bytes(32))


@pytest.mark.parametrize(
    "harm",
    [gone("taint.key"), zeroed("taint.key"), emptied_key, gone("ledger.sqlite3"), zeroed("ledger.sqlite3")],
    ids=["key gone", "key empty", "key zeroed", "ledger gone", "ledger zeroed"],
)
@pytest.mark.parametrize("way", ["put back", "accepted"])
async def test_a_lost_file_closes_the_cloud_until_it_is_back_or_accepted(
    tmp_path: Path, harm: Callable[[Path], None], way: str
) -> None:
    """Home answers all the time; a second start says the same as the first."""
    state = tmp_path / "state"
    async with started(tmp_path) as one:
        assert await leaves(one)
        assert await said(one) == ""
    copy = kept(state)
    harm(state)
    for _ in range(2):
        async with started(tmp_path) as one:
            assert not await leaves(one)
            assert "--accept-loss" in await said(one)
    if way == "put back":
        for name in NAMES:
            (state / name).unlink(missing_ok=True)
        for name, content in copy.items():
            (state / name).write_bytes(content)
    async with started(tmp_path, accept_loss=way == "accepted") as one:
        assert await leaves(one)
        assert await said(one) == ""
    async with started(tmp_path) as one:
        assert await leaves(one)
        assert await said(one) == ""


async def test_a_journal_that_was_removed_closes_the_cloud_and_the_budgets(tmp_path: Path) -> None:
    """Of a gateway that was killed, the last records stand in the `-wal` file alone."""
    state = tmp_path / "state"
    async with started(tmp_path):
        pass
    async with started(tmp_path) as one:
        assert await leaves(one)
        killed = kept(state)
    assert killed["ledger.sqlite3-wal"]
    for name, content in killed.items():
        (state / name).write_bytes(content)
    async with started(tmp_path) as one:
        assert await leaves(one), "a killed gateway's files are whole"
    for name, content in killed.items():
        (state / name).write_bytes(content)
    (state / "ledger.sqlite3-wal").unlink()
    (state / "ledger.sqlite3-shm").unlink(missing_ok=True)
    for _ in range(2):
        async with started(tmp_path) as one:
            assert not await leaves(one)
            assert "The ledger" in await said(one)
            metrics = (await get(one, "/metrics")).body.decode()
            assert 'aduana_budget_spent_usd{budget="day",period="day"} 5.0' in metrics
    async with started(tmp_path, accept_loss=True) as one:
        assert await leaves(one)


async def test_the_key_and_the_marker_are_for_their_owner_alone(tmp_path: Path) -> None:
    """They are written whole, with nothing of a first try left beside them."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "taint.key.new").write_bytes(b"half")
    async with started(tmp_path):
        pass
    assert len((state / "taint.key").read_bytes()) == 32
    for name in ("taint.key", "state.json"):
        assert (state / name).stat().st_mode & 0o777 == 0o600
    assert list(state.glob("*.new")) == []
    with sqlite3.connect(state / "ledger.sqlite3") as database:
        assert database.execute("SELECT starts FROM state").fetchone() == (1,)
    database.close()
