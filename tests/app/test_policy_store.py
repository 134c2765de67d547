"""The policy in force follows its files, however they are saved, and stays where they can't be used."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog.testing

from gateway.app import policy_store
from gateway.app.policy_store import PolicyStore
from gateway.app.proofs import question as proofs_question
from gateway.policy import Policy, load_policy
from tests.policy.house import HOME, catalog_of

RULES = "version: 1\nlabels: {default: internal}\notherwise: {prefer: [home]}\n"
OTHER = RULES.replace("internal", "sensitive")
CATALOG = catalog_of(HOME)


class Watched:
    """A store whose files are being watched, and what it tells of them."""

    def __init__(self, folder: Path, look_seconds: float) -> None:
        self.folder = folder
        self.policy = folder / "policy.yaml"
        self.candidate = folder / "new" / "candidate.yaml"
        self.included = folder / "shared" / "rules.yaml"
        for path in (self.candidate, self.included):
            path.parent.mkdir()
        self.policy.write_text("include: [shared/rules.yaml]\n" + RULES)
        self.candidate.write_text(RULES)
        self.included.write_text("version: 1\n")
        self.store = PolicyStore(
            [self.policy], CATALOG, candidate=[self.candidate], rates={}, look_seconds=look_seconds
        )
        self.told: asyncio.Queue[bool] = asyncio.Queue()
        self.store.on_change(lambda policy: self.told.put_nowait(policy is not None))

    async def changed(self) -> bool:
        """Wait for the next reload; False: it was refused."""
        async with asyncio.timeout(60):
            return await self.told.get()


@contextlib.asynccontextmanager
async def watching(folder: Path, look_seconds: float = 0.3) -> AsyncIterator[Watched]:
    """A store that watches its files in that folder."""
    one = Watched(folder, look_seconds)
    task = asyncio.create_task(one.store.watch())
    yield one
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """A store that watches, and looks often by itself."""
    async with watching(tmp_path) as one:
        yield one


def write(path: Path, text: str) -> None:
    path.write_text(text)


def rename(path: Path, text: str) -> None:
    """Save as many editors do: another file takes the old one's place."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(text)
    os.replace(beside, path)


@pytest.mark.parametrize("save", [write, rename])
@pytest.mark.parametrize("file", ["policy", "candidate", "included"])
async def test_a_saved_file_is_noticed(watched: Watched, file: str, save: Callable[[Path, str], None]) -> None:
    """The policy, what it includes and the candidate, overwritten or replaced, twice in a row."""
    path: Path = getattr(watched, file)
    for comment in ("# once\n", "# twice\n"):
        before = (watched.store.current, watched.store.candidate)
        save(path, comment + path.read_text())
        assert await watched.changed()
        assert (watched.store.current, watched.store.candidate) != before


@pytest.mark.parametrize("save", [write, rename])
async def test_the_system_tells_of_changes(tmp_path: Path, save: Callable[[Path, str], None]) -> None:
    """A saved file is noticed without the regular look, by whatever way it was saved."""
    async with watching(tmp_path, look_seconds=3_600.0) as watched:
        told = asyncio.create_task(watched.changed())
        number = 0
        while not told.done():  # until the watch has begun
            number += 1
            save(watched.policy, f"# {number}\n{RULES}")
            await asyncio.wait([told], timeout=0.5)
        assert told.result()


async def test_a_broken_file_keeps_the_old_policy_until_it_is_mended(watched: Watched) -> None:
    """A file that is gone is refused, its return is noticed, and so is a file to include that comes later."""
    before = watched.store.current
    watched.included.unlink()
    assert not await watched.changed()
    assert watched.store.current is before
    assert "rules.yaml" in (watched.store.problem or "")
    watched.included.write_text("version: 1\n")
    assert await watched.changed()
    assert watched.store.problem is None


async def test_a_missing_file_is_complained_about_once(watched: Watched) -> None:
    """The same unreadable file is not refused again at each look."""
    watched.policy.unlink()
    assert not await watched.changed()
    assert not watched.store._texts_changed()


async def test_a_reload_can_be_asked_for(watched: Watched) -> None:
    """SIGHUP: the files are loaded again although nothing has changed."""
    watched.store.ask_to_reload()
    assert await watched.changed()
    watched.store.ask_to_reload()
    assert await watched.changed()


async def test_a_link_that_leads_elsewhere_is_noticed(tmp_path: Path) -> None:
    """A release is changed by a link two folders up: no event tells of it, the regular look does."""
    for name, text in (("one", RULES), ("two", OTHER)):
        (tmp_path / name / "rules").mkdir(parents=True)
        (tmp_path / name / "rules" / "policy.yaml").write_text(text)
    (tmp_path / "current").symlink_to("one")
    store = PolicyStore([tmp_path / "current" / "rules" / "policy.yaml"], CATALOG, rates={}, look_seconds=0.3)
    told = asyncio.Event()
    store.on_change(lambda policy: told.set())
    before = store.current.digest
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(store.watch())
        (tmp_path / "next").symlink_to("two")
        os.replace(tmp_path / "next", tmp_path / "current")
        await told.wait()
        task.cancel()
    assert store.current.digest != before


async def test_files_are_polled_where_the_system_can_not_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of watches: it is said in the log, and a saved file is seen all the same."""
    real = policy_store.awatch
    polled = asyncio.Event()

    async def scarce(*paths: Path, force_polling: bool | None, **rest: object) -> AsyncIterator[object]:
        if not force_polling:
            raise OSError(28, "inotify watch limit reached")
        polled.set()
        async for changes in real(*paths, force_polling=force_polling, **rest):  # type: ignore[arg-type]
            yield changes

    monkeypatch.setattr(policy_store, "awatch", scarce)
    with structlog.testing.capture_logs() as log:
        async with watching(tmp_path) as one, asyncio.timeout(60):
            await polled.wait()
            rename(one.policy, OTHER)
            assert await one.changed()
    assert [entry["event"] for entry in log].count("policy.watch_failed") == 1


async def test_the_built_in_policy_needs_no_files() -> None:
    """Without files there is nothing to watch, and a reload can be asked for all the same."""
    store = PolicyStore([], CATALOG, rates={})
    told = asyncio.Event()
    store.on_change(lambda policy: told.set())
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(store.watch())
        store.ask_to_reload()
        await told.wait()
        task.cancel()


async def test_who_goes_away_leaves_the_solver_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is closed while its policy is proved leaves nothing running beside the next proof."""
    (tmp_path / "policy.yaml").write_text(RULES)
    store = PolicyStore([tmp_path / "policy.yaml"], CATALOG, rates={})
    texts = {str(tmp_path / "policy.yaml"): OTHER}
    begun, released = threading.Event(), threading.Event()
    at_work, most = 0, 0

    def slow(*args: Any, **named: Any) -> Policy:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        begun.set()
        assert released.wait(60)
        at_work -= 1
        return load_policy(*args, **named)

    monkeypatch.setattr(proofs_question, "load_policy", slow)
    async with asyncio.timeout(60):
        gone = asyncio.create_task(store.tried(texts))
        await asyncio.to_thread(begun.wait)
        gone.cancel()
        following = asyncio.create_task(store.tried(texts))
        for _ in range(20):
            await asyncio.to_thread(lambda: None)  # as long as a thread takes that would begin at once
        released.set()
        _, tried = await following
    assert gone.cancelled()
    assert (tried.passed, most) == (True, 1)
