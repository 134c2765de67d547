"""A worker that dies: when it is started again, how, and what people and metrics are told."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import TargetUnavailable
from gateway.core.target import TargetState
from gateway.engine.messages import Embed
from gateway.engine.settings import EngineSettings
from gateway.local.embedded.process.compatibility import CompatibilityStore
from gateway.local.embedded.process.mailbox import Mailbox
from gateway.local.embedded.process.restarts import Death, RestartPolicy, Retry
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.models.events import WorkerEvent, WorkerEventKind
from tests.standins.embedded import until

SETTINGS = EmbeddedSettings(model="m.gguf", restart_limit=4, stable_after=60.0, retry_failed=300.0)


def died(name: str = "SIGABRT", *, served: float | None = None) -> Death:
    """Of a signal."""
    number = signal.Signals[name]
    return Death(cause=f"signal_{number}", detail=f"signal {number}", signal=number, served=served)


@pytest.mark.parametrize("name", ["SIGILL", "SIGSEGV", "SIGBUS", "SIGFPE"])
def test_a_cpu_fault_while_loading_is_tried_once_without_repacked_weights(name):
    """After a CPU fault at load one try follows without repacked weights; a second fault names the rebuild command."""
    policy = RestartPolicy(SETTINGS, repack=True)
    first = policy.after(died(name))
    assert (first.retry, first.pause, policy.repack) == (Retry.WITHOUT_REPACK, 0.0, False)
    second = policy.after(died(name))
    assert (second.retry, second.pause) == (Retry.NEVER, None)
    assert name in second.problem
    assert "engine install --portable" in second.problem
    assert sys.executable not in second.public_problem


def test_an_illegal_instruction_in_a_request_is_a_cpu_fault_too():
    """An illegal instruction is a CPU fault at any time; a bad access after the load only restarts the worker."""
    assert RestartPolicy(SETTINGS, repack=True).after(died("SIGILL", served=5.0)).retry is Retry.WITHOUT_REPACK
    assert RestartPolicy(SETTINGS, repack=True).after(died("SIGSEGV", served=5.0)).retry is Retry.SOON


def test_with_repack_turned_off_by_hand_there_is_no_second_try():
    """Where repacking is turned off by hand, a CPU fault at load ends it: nothing is left to turn off."""
    assert RestartPolicy(SETTINGS, repack=False).after(died("SIGILL")).retry is Retry.NEVER


def test_pauses_double_and_after_some_failures_it_counts_as_failed():
    """Pauses double until the worker counts as failed; a stretch of service starts the count anew."""
    policy = RestartPolicy(SETTINGS, repack=True)
    steps = [policy.after(died()) for _ in range(5)]
    assert [step.pause for step in steps] == [0.0, 1.0, 2.0, 300.0, 300.0]
    assert [step.failed for step in steps] == [False, False, False, True, True]
    assert "4 times in a row" in steps[3].problem
    assert policy.after(died(served=61.0)).pause == 0.0


def test_each_stretch_of_service_makes_up_for_failures_in_proportion():
    """A worker that is killed every half minute starts again at once for ever: it works most of the time."""
    policy = RestartPolicy(SETTINGS, repack=True)
    steps = [policy.after(died("SIGKILL", served=30.0)) for _ in range(20)]
    assert {(step.pause, step.failed) for step in steps} == {(0.0, False)}
    for _ in range(3):
        policy.after(died())
    assert policy.after(died(served=30.0)).pause == 2.0  # the third, for two of four are forgiven


def test_one_that_served_only_a_moment_does_not_start_the_count_anew():
    """A worker that dies at each first request counts its failures on, so that it does not die for ever."""
    policy = RestartPolicy(SETTINGS, repack=True)
    assert [policy.after(died(served=1.0)).failed for _ in range(4)] == [False, False, False, True]


def test_what_the_worker_says_itself_is_the_problem():
    """Where the worker says why it can't load its model, that is the problem that people are told."""
    death = Death(cause="load", detail="/a/b is cut", load_problem="/a/b is cut.", public_problem="Its file is cut.")
    step = RestartPolicy(SETTINGS, repack=True).after(death)
    assert (step.problem, step.public_problem, step.pause) == ("/a/b is cut.", "Its file is cut.", 1.0)


def test_a_kill_while_loading_is_most_likely_memory():
    """A kill while loading is told as memory that ran out, for the kernel itself tells nobody."""
    assert "memory" in RestartPolicy(SETTINGS, repack=True).after(died("SIGKILL")).public_problem


def test_the_state_for_people_says_when_it_is_tried_again():
    """The state says in the words of /readyz and the page when the worker is tried again."""
    state = TargetState(healthy=False, problem="It died.", retry_in=300.0)
    assert state.failure(datetime(2026, 11, 28, 10, 0, 30)) == "failed: It died. Retried at 10:05:30."
    assert TargetState().failure(datetime(2026, 11, 28)) == ""


# What was found out is kept


def test_what_was_found_out_holds_for_this_model_file_only(tmp_path):
    """What was found out holds for one file: another, or the same one changed, is tried with repacked weights again."""
    store = CompatibilityStore(tmp_path / "engine" / "compatibility.json")
    one, other = tmp_path / "one.gguf", tmp_path / "other.gguf"
    for model in (one, other):
        model.write_bytes(b"GGUF")
    assert store.repack_works(one)
    store.remember_without_repack(one, "signal_4")
    assert not store.repack_works(one)
    assert not CompatibilityStore(tmp_path / "engine" / "compatibility.json").repack_works(one)
    assert store.repack_works(other)
    one.write_bytes(b"GGUF of another length")
    assert store.repack_works(one)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'[{"key": 1}]'])
def test_a_broken_file_is_as_good_as_none(content, tmp_path):
    """A broken record file is as good as none and keeps no worker from starting."""
    file = tmp_path / "compatibility.json"
    file.write_bytes(content)
    store = CompatibilityStore(file)
    assert store.repack_works(tmp_path / "m.gguf")
    store.remember_without_repack(tmp_path / "m.gguf", "signal_4")
    assert not store.repack_works(tmp_path / "m.gguf")


def test_a_place_that_can_not_be_written_is_no_failure(tmp_path):
    """Where the record can't be written the worker still starts; the next start finds out anew."""
    (tmp_path / "file").write_bytes(b"")
    CompatibilityStore(tmp_path / "file" / "below").remember_without_repack(tmp_path / "m.gguf", "signal_4")


# With real processes


def spawning(**how: str | None) -> Callable[[socket.socket, EngineSettings], Awaitable[asyncio.subprocess.Process]]:
    """Processes that end as `tests.standins.dying_worker` says."""

    async def spawn(theirs: socket.socket, _: EngineSettings) -> asyncio.subprocess.Process:
        arguments = ("-m", "tests.standins.dying_worker", str(theirs.fileno()), json.dumps(how))
        return await asyncio.create_subprocess_exec(
            sys.executable, *arguments, pass_fds=[theirs.fileno()], stderr=asyncio.subprocess.PIPE
        )

    return spawn


@asynccontextmanager
async def begun(
    folder: Path, changes: dict[str, Any], **how: str | None
) -> AsyncIterator[tuple[WorkerSupervisor, list]]:
    """A worker that was told to begin, and what it tells."""
    events: list[WorkerEvent] = []
    if not (folder / "m.gguf").exists():
        (folder / "m.gguf").write_bytes(b"GGUF")
    store = str(folder / "compatibility.json")
    settings = EmbeddedSettings(model=str(folder / "m.gguf"), compatibility_file=store, **changes)
    worker = WorkerSupervisor("home", settings, spawn=spawning(**how))
    worker.follow(events.append, lambda _: None)
    worker.begin()
    try:
        yield worker, events
    finally:
        await worker.close()


def soon() -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + 30


async def test_a_build_that_dies_with_repacked_weights_serves_without_and_the_next_start_knows(tmp_path):
    """Such a build serves without repacked weights, and dies once for a machine and model, not at each start."""
    async with begun(tmp_path, {}, repacked="SIGILL", plain=None) as (worker, events):
        await worker.wait_ready(soon())
        await until(lambda: events[-1].kind is WorkerEventKind.REMEMBERED)
        assert [event.kind for event in events] == [
            WorkerEventKind.NO_REPACK,
            WorkerEventKind.READY,
            WorkerEventKind.REMEMBERED,
        ]
        assert (worker.restarts, events[0].cause, worker.problem) == (1, "signal_4", "")
    async with begun(tmp_path, {}, repacked="SIGILL", plain=None) as (worker, events):
        await worker.wait_ready(soon())
        assert [event.kind for event in events] == [WorkerEventKind.REMEMBERED, WorkerEventKind.READY]
        assert worker.restarts == 0


async def test_a_build_that_does_not_fit_the_cpu_stops_and_says_so(tmp_path):
    """Two deaths and no more; requests get 503 without a time to come back, until a person asks for another try."""
    async with begun(tmp_path, {}, repacked="SIGILL", plain="SIGILL") as (worker, events):
        with pytest.raises(TargetUnavailable, match="does not fit this CPU") as caught:
            await worker.wait_ready(soon())
        assert caught.value.retry_after is None
        assert [event.kind for event in events] == [WorkerEventKind.NO_REPACK, WorkerEventKind.FAILED]
        assert (worker.failed, worker.retry_at, events[-1].seconds) == (True, None, None)
        await worker.retry()
        assert not worker.failed
        with pytest.raises(TargetUnavailable):
            await worker.wait_ready(soon())
        assert worker.restarts == 4


async def test_one_that_dies_again_and_again_fails_and_is_tried_at_a_known_time(tmp_path):
    """`Retry-After` is that time, and what is asked before it does not start anything."""
    changes = {"restart_limit": 2, "restart_longest": 0.0, "retry_failed": 100.0}
    async with begun(tmp_path, changes, repacked="exit_7", plain="exit_7") as (worker, events):
        await until(lambda: worker.failed)
        with pytest.raises(TargetUnavailable, match="2 times in a row") as caught:
            await worker.wait_ready(soon())
        assert caught.value.retry_after is not None
        assert 90 < caught.value.retry_after < 110
        assert [event.kind for event in events] == [WorkerEventKind.DIED, WorkerEventKind.FAILED]
        assert "exit code 7" in events[-1].detail


async def test_whoever_comes_while_it_restarts_is_told_the_pause_and_the_load(tmp_path):
    """`Retry-After` counts the pause before the restart and as long again as the last load took."""
    async with begun(tmp_path, {"restart_first": 60.0}, repacked=None, plain=None) as (worker, _):
        await worker.wait_ready(soon())
        worker.load_seconds = 20.0
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        await until(lambda: worker.retry_at is not None)
        with pytest.raises(TargetUnavailable) as caught:
            worker.send([], Mailbox())
        assert 75 < caught.value.retry_after <= 80


async def test_a_worker_that_dies_tells_its_requests_when_to_try_again(tmp_path):
    """The error says "try again" and carries the time for it; the two never contradict each other."""
    async with begun(tmp_path, {}, repacked=None, plain=None) as (worker, _):
        await worker.wait_ready(soon())
        mailbox = Mailbox()
        worker.send([Embed(id=1, inputs=())], mailbox)
        os.kill(worker.pid, signal.SIGKILL)
        (error,) = await mailbox.take()
        assert "Please try again" in error.message
        assert error.retry_after is not None
