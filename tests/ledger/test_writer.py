"""A ledger that can't write refuses, so that nothing is sent; and it never overwrites what it can't read."""

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import LedgerUnavailable
from gateway.ledger import Ledger, LedgerSettings
from tests.ledger.conftest import CLOUD, Clock, make_receipt, make_settlement

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> LedgerSettings:
    """Settings of a ledger in a file: what these tests do to it they can do to a file alone."""
    return LedgerSettings(directory=tmp_path / "state", timezone="Europe/Madrid")


async def fill(ledger: Ledger, prefix: str) -> tuple[int, LedgerUnavailable]:
    """Receipts until one is refused: how many were taken, and the refusal."""
    for number in range(100_000):
        try:
            await ledger.receive(make_receipt(f"{prefix}{number}", facts=b"x" * 20_000), None)
        except LedgerUnavailable as error:
            return number, error
    raise AssertionError("the ledger never got full")


def fill_up(file: Path) -> None:
    """A file as large as there is room for."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(descriptor, b"\0" * 4096):
            pass
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends by it
    finally:
        os.close(descriptor)


async def healthy_again(ledger: Ledger) -> None:
    """Waits for the writer's own look whether the trouble is over."""
    async with asyncio.timeout(60):
        while not ledger.health().ok:  # noqa: ASYNC110 - readiness is polled, as a load balancer does
            await asyncio.sleep(0.05)


async def test_a_full_database_refuses_and_keeps_what_it_has(settings: LedgerSettings) -> None:
    """Each receipt that was acknowledged is there; the one that did not fit is refused with 503 and a clear text."""
    ledger = Ledger(msgspec.structs.replace(settings, max_bytes=2**20))
    await ledger.open()
    taken, error = await fill(ledger, "r")
    assert taken > 10
    assert error.status == 503
    assert "full" in error.message
    assert not ledger.health().ok
    await ledger.close()
    again = Ledger(settings)
    await again.open()
    assert again.orphans == taken
    await again.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small file system needs root; the full-database test covers the path")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False, capture_output=True)
    if done.returncode != 0:
        pytest.skip("this container may not mount; the full-database test covers the path")
    yield place
    subprocess.run([shutil.which("umount") or "umount", "-l", place], check=True)


async def test_a_full_disk_refuses_until_there_is_room(small_disk: Path) -> None:
    """The disk fills under a running gateway: refusals, then, after room was made, readiness and a kept settlement."""
    ledger = Ledger(LedgerSettings(directory=small_disk))
    await ledger.open()
    await ledger.receive(make_receipt("before"), None)
    ballast = small_disk / "ballast"
    fill_up(ballast)
    _, error = await fill(ledger, "r")
    assert "Make room" in error.message
    assert not ledger.health().ok
    with contextlib.suppress(LedgerUnavailable):  # a small row may still fit where a large one did not
        await ledger.settle(make_settlement("before"))
    ballast.unlink()
    await healthy_again(ledger)
    await ledger.receive(make_receipt("after"), None)
    await ledger.settle(make_settlement("after"))
    await ledger.close()
    connection = sqlite3.connect(small_disk / "ledger.sqlite3")
    kept = "SELECT outcome FROM settlements JOIN receipts USING (seq) WHERE request_id = 'before'"
    assert connection.execute(kept).fetchall() == [("ok",)]
    connection.close()


async def test_a_disk_that_turns_read_only_refuses(small_disk: Path) -> None:
    """A ledger on a disk that turned read-only, as after a file system error, does not open and says why."""
    ledger = Ledger(LedgerSettings(directory=small_disk))
    await ledger.open()
    await ledger.close()
    await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,ro", str(small_disk)], check=True)
    again = Ledger(LedgerSettings(directory=small_disk))
    with pytest.raises(LedgerUnavailable, match=r"can't be (used|written)"):
        await again.open()


def test_a_read_only_directory_is_a_clear_error(tmp_path: Path) -> None:
    """`open` names the directory; run as an ordinary user, because root may write anywhere."""
    script = """
        import asyncio, concurrent.futures.thread, os, sys
        from pathlib import Path
        from gateway.core.errors import LedgerUnavailable
        from gateway.ledger import Ledger, LedgerSettings
        if os.geteuid() == 0:
            os.setuid(65534)  # everything that is needed was imported before
        try:
            asyncio.run(Ledger(LedgerSettings(directory=Path(sys.argv[1]) / "state")).open())
        except LedgerUnavailable as error:
            print(error.message)
    """
    place = tmp_path / "closed"
    place.mkdir()
    for parent in (place, *place.parents):
        if parent == Path(parent.anchor) or not os.access(parent, os.W_OK):
            break
        parent.chmod(parent.stat().st_mode | 0o055)
        if parent == tmp_path.parents[1]:
            break
    place.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Permission denied" in done.stdout, done.stderr
    assert str(place) in done.stdout


async def test_a_database_held_by_another_program_refuses(settings: LedgerSettings) -> None:
    """Somebody's open write transaction: refused after `busy_seconds`, with the reason; fine again afterwards."""
    ledger = Ledger(msgspec.structs.replace(settings, busy_seconds=0.05))
    await ledger.open()
    other = sqlite3.connect(ledger.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="held by another program"):
        await ledger.receive(make_receipt(), CLOUD)
    assert ledger.budgets()["day"].spent == 0, "what was not admitted holds no money"
    other.execute("ROLLBACK")
    other.close()
    await ledger.receive(make_receipt(), CLOUD)
    assert ledger.health().ok
    await ledger.settle(make_settlement())
    await ledger.close()


async def test_a_settlement_that_could_not_be_written_is_kept(settings: LedgerSettings) -> None:
    """The caller is told; the next write that succeeds brings the kept settlement with it."""
    ledger = Ledger(msgspec.structs.replace(settings, busy_seconds=0.05))
    await ledger.open()
    await ledger.receive(make_receipt(), CLOUD)
    other = sqlite3.connect(ledger.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="held by another program"):
        await ledger.settle(make_settlement())
    other.execute("ROLLBACK")
    await ledger.receive(make_receipt("next"), None)
    found = other.execute("SELECT request_id, outcome FROM receipts LEFT JOIN settlements USING (seq) ORDER BY seq")
    assert found.fetchall() == [("r1", "ok"), ("next", None)]
    other.close()
    await ledger.close()


async def test_a_receipt_that_took_too_long_is_settled_behind_it(settings: LedgerSettings, clock: Clock) -> None:
    """The caller was told no, so nothing was sent; the late receipt still gets its one settlement."""
    ledger = Ledger(msgspec.structs.replace(settings, write_seconds=0.2, busy_seconds=10), wall=clock)
    await ledger.open()
    other = sqlite3.connect(ledger.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnavailable, match="did not write within"):
        await ledger.receive(make_receipt(), None)
    other.execute("ROLLBACK")
    other.close()
    await ledger.close()
    connection = sqlite3.connect(ledger.file)
    assert connection.execute("SELECT outcome FROM settlements").fetchall() == [("unknown",)]
    connection.close()


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_database_that_vanishes_under_the_gateway_refuses(settings: LedgerSettings, how: str) -> None:
    """Writes would succeed into a file that nobody can find again, so they are refused."""
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.receive(make_receipt("a"), None)
    if how == "deleted":
        ledger.file.unlink()
    else:
        shutil.copy(ledger.file, ledger.file.with_suffix(".copy"))
        os.replace(ledger.file.with_suffix(".copy"), ledger.file)
    with pytest.raises(LedgerUnavailable, match=r"No such file|replaced by another"):
        await ledger.receive(make_receipt("b"), None)
    await ledger.close()


async def test_in_an_idle_moment_the_log_goes_into_the_file(settings: LedgerSettings, tmp_path: Path) -> None:
    """So no commit must do that while somebody waits: a copy of the file alone has the receipt by then."""
    ledger = Ledger(settings)
    await ledger.open()
    await ledger.receive(make_receipt(), None)
    copy = tmp_path / "copy.sqlite3"
    found: list[tuple[str]] = []
    async with asyncio.timeout(60):
        while not found:
            await asyncio.sleep(0.05)
            shutil.copy(ledger.file, copy)
            with contextlib.closing(sqlite3.connect(copy)) as connection, contextlib.suppress(sqlite3.Error):
                found = connection.execute("SELECT request_id FROM receipts").fetchall()
    assert found == [("r1",)]
    await ledger.close()
