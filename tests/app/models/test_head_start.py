"""The engine begins before the rest of the gateway is imported; nothing of it where none is wanted."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.app.models import head_start
from gateway.app.models.head_start import HeadStart
from gateway.app.models.plan import holding
from gateway.app.wiring import Gateway, running
from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.ledger.lock import OwnerLock
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.models.events import WorkerEventKind
from gateway.settings import Settings
from tests.engine import tiny

pytestmark = [pytest.mark.model]
SERVER = {"kind": "openai", "zone": "local", "base_url": "http://127.0.0.1:9/v1", "model": "den-1"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that loads in a moment."""
    return tiny.write_encoder(tmp_path_factory.mktemp("models") / "m.gguf", 1)


def configured(folder: Path, targets: dict[str, Any], **changes: Any) -> Settings:
    """A configuration with its own state directory and a free port."""
    return Settings(server={"port": 0}, state_dir=folder / "state", targets=targets, **changes)


def embedded(model: Path, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """A target for this model."""
    return {"kind": "embedded", "model": str(model), "context": 128, "slots": 1, "threads": 1} | (changes or {})


async def until_ready(gateway: Gateway) -> None:
    """Waits for readiness."""
    async with asyncio.timeout(60):
        while not gateway.readiness().ready:  # noqa: ASYNC110 - readiness has no event
            await asyncio.sleep(0.01)


def alive(pid: int | None) -> bool:
    """Whether there is such a process; one that has ended was waited for, so it is gone."""
    return pid is not None and Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("targets", "begins"),
    [
        ({"den": SERVER}, []),
        ({"home": {"load": "on_demand"}}, []),
        ({"home": {"model": "absent"}}, []),
        ({"den": SERVER, "later": {"load": "on_demand"}, "home": {}, "other": {}}, ["home"]),
    ],
    ids=["no embedded model", "on demand", "no such file", "the first that loads at start"],
)
async def test_only_what_would_load_at_start_begins(
    targets: dict[str, dict[str, Any]], begins: list[str], model: Path, tmp_path: Path
) -> None:
    """A gateway without a model that loads at start gets no process and no lock; one with several, one process."""
    written = {name: one if one is SERVER else embedded(model, one) for name, one in targets.items()}
    settings = configured(tmp_path, written)
    early = HeadStart(settings)
    early.begin()
    try:
        assert list(early.workers) == begins
        assert (tmp_path / "state" / "ledger.lock").exists() is bool(begins)
    finally:
        await early.close()


async def test_the_gateway_takes_over_what_has_begun(model: Path, tmp_path: Path) -> None:
    """The process that began early is the one that serves, without a second load, and it ends with the gateway."""
    settings = configured(tmp_path, {"home": embedded(model)})
    early = HeadStart(settings)
    early.begin()
    worker = early.workers["home"]
    try:
        await worker.wait_ready(asyncio.get_running_loop().time() + 60)
        pid = worker.pid
        async with running(settings, early) as gateway:
            await until_ready(gateway)
            assert worker.pid == pid
            assert worker.restarts == 0
        assert not alive(pid)
    finally:
        await early.close()


async def test_a_start_that_fails_leaves_no_process_and_no_lock(model: Path, tmp_path: Path) -> None:
    """A policy that can't be read ends the start, and with it the engine; the state directory is free again."""
    (tmp_path / "bad.yaml").write_text("version: 99")
    settings = configured(tmp_path, {"home": embedded(model)}, policy=(tmp_path / "bad.yaml",))
    early = HeadStart(settings)
    early.begin()
    worker = early.workers["home"]
    try:
        await worker.wait_ready(asyncio.get_running_loop().time() + 60)
        pid = worker.pid
        with pytest.raises(ConfigurationError):
            async with running(settings, early):
                pass
        assert not alive(pid)
        free = OwnerLock(tmp_path / "state")
        free.take()
        free.release()
    finally:
        await early.close()


async def test_another_gateway_in_the_state_directory_is_left_alone(model: Path, tmp_path: Path) -> None:
    """Its files of conversations stay: no engine begins, and the start says whose directory it is."""
    kept = tmp_path / "state" / "spill" / "home" / "1.kv"
    settings = configured(tmp_path, {"home": embedded(model)})
    other = OwnerLock(tmp_path / "state")
    other.take()
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"of the other gateway")
    early = HeadStart(settings)
    early.begin()
    try:
        assert not early.workers
        with pytest.raises(LedgerUnavailable, match=rf"Another gateway \(process {os.getpid()}\)"):
            async with running(settings, early):
                pass
    finally:
        await early.close()
        other.release()
    assert kept.exists()


async def test_what_happened_before_anybody_listened_is_told(model: Path, tmp_path: Path) -> None:
    """Log and metrics show a load that was over before they were there: its end, and of its progress only the last."""
    early = HeadStart(configured(tmp_path, {"home": embedded(model)}))
    early.begin()
    worker = early.workers["home"]
    told: list[WorkerEventKind] = []
    try:
        await worker.wait_ready(asyncio.get_running_loop().time() + 60)
        worker.follow(lambda event: told.append(event.kind), lambda numbers: None)
        assert told == [WorkerEventKind.LOADING, WorkerEventKind.READY]
    finally:
        await early.close()
    assert told[-1] is WorkerEventKind.STOPPED


async def test_a_stop_ends_what_still_chooses_sizes(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that is stopped while sizes are chosen leaves no task behind, and its worker ends without them."""
    go_on = threading.Event()

    def slow(settings: Settings) -> ModelPlan:
        go_on.wait(60)
        return holding(settings)

    monkeypatch.setattr(head_start, "_plan", slow)
    before = asyncio.all_tasks()
    early = HeadStart(configured(tmp_path, {"home": embedded(model)}))
    early.begin()
    try:
        await asyncio.sleep(0)  # both tasks have begun
        assert len(asyncio.all_tasks() - before) > 1
        await early.close()
        assert asyncio.all_tasks() == before
        await early.close()
    finally:
        go_on.set()
