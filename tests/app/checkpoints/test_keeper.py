"""Checkpoints are signed when they are due, kept elsewhere, and never hold anything up."""

import asyncio
import json
import os
import shutil
from pathlib import Path

from gateway.app.checkpoints.keeper import CheckpointKeeper, CheckpointSettings
from gateway.app.checkpoints.key import KEY_FILE, load_signer
from gateway.ledger import Ledger, LedgerSettings
from tests.ledger.conftest import make_receipt, make_settlement


def places(file: Path) -> list[int]:
    """Return the indexes in a file of checkpoints."""
    return [json.loads(line)["index"] for line in file.read_text().splitlines() if line.startswith("{")]


async def opened(folder: Path, **settings: object) -> tuple[Ledger, CheckpointKeeper]:
    """Return an open ledger and its keeper."""
    ledger = Ledger(LedgerSettings(directory=folder / "state"))
    await ledger.open()
    keeper = CheckpointKeeper(ledger, folder / "state", CheckpointSettings(**settings))  # type: ignore[arg-type]
    await keeper.open()
    return ledger, keeper


async def ask(ledger: Ledger, name: str) -> None:
    """Let one request come and end."""
    await ledger.receive(make_receipt(name), None)
    await ledger.settle(make_settlement(name))


async def test_one_is_signed_where_there_is_something_new(tmp_path: Path) -> None:
    """A checkpoint at the beginning and one for each look that finds new links; none where nothing came."""
    file = tmp_path / "checkpoints"
    ledger, keeper = await opened(tmp_path, file=file)
    await keeper.sign()
    await keeper.sign()
    await ask(ledger, "r1")
    await keeper.sign()
    await keeper.close()
    await ledger.close()
    assert places(file) == [1, 2]
    assert os.stat(tmp_path / "state" / KEY_FILE).st_mode & 0o777 == 0o600


async def test_enough_requests_make_one_due(tmp_path: Path) -> None:
    """After `requests` of them one is signed, long before the time is over."""
    file = tmp_path / "checkpoints"
    ledger, keeper = await opened(tmp_path, file=file, requests=2, look_seconds=0.01)
    running = asyncio.create_task(keeper.run())

    async def until(place: int) -> None:
        async with asyncio.timeout(30):
            while True:
                if file.exists() and places(file)[-1:] == [place]:
                    return
                await asyncio.sleep(0.02)

    try:
        await until(1)  # at the start
        await ask(ledger, "r1")
        await ask(ledger, "r2")
        await until(2)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await ledger.close()


async def test_a_file_that_is_away_gets_everything_later(tmp_path: Path) -> None:
    """While the mount is away its owner is told and requests go on; when it is back, nothing is missing there."""
    file = tmp_path / "mount" / "checkpoints"
    ledger, keeper = await opened(tmp_path, file=file)
    for name in ("r1", "r2"):
        await ask(ledger, name)
        await keeper.sign()
    assert keeper.problem is not None
    assert "checkpoints" in keeper.problem
    file.parent.mkdir()
    file.write_text('{"aduana": "checkpoint 1", "cut o')  # what a crash of the other machine may leave
    await ask(ledger, "r3")
    await keeper.sign()
    assert keeper.problem is None
    await ledger.close()
    first, *whole = file.read_text().splitlines()
    assert (first[-5:], [json.loads(line)["index"] for line in whole]) == ("cut o", [1, 2, 3])


async def test_after_a_restore_the_file_gets_both_pasts(tmp_path: Path) -> None:
    """A ledger that was put back writes on in the same file, from where it was put back; what stood there stays."""
    file = tmp_path / "checkpoints"
    ledger, keeper = await opened(tmp_path, file=file)
    await keeper.sign()
    await ledger.close()
    shutil.copytree(tmp_path / "state", tmp_path / "backup")
    ledger, keeper = await opened(tmp_path, file=file)
    for name in ("r1", "r2", "r3"):
        await ask(ledger, name)
        await keeper.sign()
    await ledger.close()
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "backup").rename(tmp_path / "state")
    ledger, keeper = await opened(tmp_path, file=file)
    await ask(ledger, "other")
    await keeper.sign()
    await ask(ledger, "another")
    await keeper.sign()
    await ledger.close()
    assert places(file) == [1, 2, 3, 4, 2, 3]


async def test_a_mount_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """A file that does not answer, as a pipe that nobody reads, is given up on and told."""
    file = tmp_path / "pipe"
    os.mkfifo(file)
    ledger, keeper = await opened(tmp_path, file=file)
    keeper._file._seconds = 0.2  # type: ignore[union-attr]
    async with asyncio.timeout(5):
        await keeper.sign()
        await keeper.sign()
        await ask(ledger, "r1")
    assert keeper.problem is not None
    assert "does not answer" in keeper.problem
    await ledger.close()


async def test_a_damaged_key_signs_nothing_and_stops_nothing(tmp_path: Path) -> None:
    """The gateway works, its owner is told what to do, and no other key is made in its place."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / KEY_FILE).write_bytes(b"short")
    ledger, keeper = await opened(tmp_path, file=tmp_path / "checkpoints")
    await ask(ledger, "r1")
    await keeper.sign()
    await ledger.close()
    assert keeper.problem is not None
    assert "Restore it from a backup" in keeper.problem
    assert not (tmp_path / "checkpoints").exists()
    (tmp_path / "state" / KEY_FILE).unlink()
    first, second = load_signer(tmp_path / "state"), load_signer(tmp_path / "state")
    assert first is not None
    assert second is not None
    assert first.fingerprint == second.fingerprint
