"""A target whose server the gateway starts: from the first request to the last process."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import TargetBusy, TargetError, TargetUnavailable
from gateway.local.managed.cards import CardMemory
from gateway.local.managed.launcher import descendants
from gateway.local.managed.target import ManagedTarget
from gateway.local.models.events import WorkerEvent, WorkerEventKind
from gateway.local.models.eviction import MemoryLimits
from gateway.local.models.pool import ModelPool
from tests.local.managed.house import failure, managed, runs, server, told
from tests.standins.embedded import until

pytestmark = pytest.mark.asyncio


async def test_the_first_request_starts_the_server_and_the_next_ones_find_it() -> None:
    """Nothing runs before the first request; then one process answers them all, and closing ends it."""
    events: list[WorkerEvent] = []
    target = managed(server(), events=events)
    await target.start()
    try:
        assert (target.state().loaded, target.state().healthy, target.state().loading) == (False, True, None)
        first, second = await told(target), await told(target)
        assert first["pid"] == second["pid"]
        assert (target.state().loaded, target.state().healthy) == (True, True)
    finally:
        await target.close()
    assert not runs(first["pid"])
    assert [event.kind for event in events] == [WorkerEventKind.READY, WorkerEventKind.WAITED, WorkerEventKind.STOPPED]
    assert events[1].seconds is not None
    assert events[1].seconds >= (events[0].seconds or 0)


async def test_the_server_gets_a_key_of_its_own_and_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each start has another secret, with which it is asked; keys in the gateway's environment stay there."""
    monkeypatch.setenv("OPENAI_API_KEY", "the cloud's")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    settings = server("--key-from", "SERVER_KEY", environment={"SERVER_KEY": "{key}", "GREETING": "hola {{key}}"})
    target = managed(settings)
    try:
        seen = (await told(target))["environment"]
        assert "OPENAI_API_KEY" not in seen
        assert {"PATH", "CUDA_VISIBLE_DEVICES"} <= seen.keys()
        assert seen["GREETING"] == "hola {key}"
    finally:
        await target.close()


async def test_it_starts_with_the_gateway_where_it_is_told_to() -> None:
    """`load: start` asks nobody."""
    target = managed(server(load="start"))
    await target.start()
    try:
        await until(lambda: target.state().loaded is True)
    finally:
        await target.close()


async def test_it_is_stopped_when_nobody_has_used_it_for_a_while() -> None:
    """`unload_after` ends the process; the next request starts another."""
    target = managed(server(unload_after=0.2))
    try:
        first = (await told(target))["pid"]
        await until(lambda: not runs(first))
        await until(lambda: not target.residency.resident)
        assert (await told(target))["pid"] != first
    finally:
        await target.close()


async def test_everybody_waits_for_a_slow_start() -> None:
    """Requests that come while it starts are answered once it is ready, and they start one server."""
    target = managed(server("--slow", "0.5"), slots=2)
    try:
        answers = await asyncio.gather(*(told(target) for _ in range(5)))
        assert len({answer["pid"] for answer in answers}) == 1
    finally:
        await target.close()


async def test_a_server_that_dies_in_an_answer_is_told_and_started_again() -> None:
    """The request gets an error that says what happened; the server is back without anybody's help."""
    events: list[WorkerEvent] = []
    target = managed(server("--die-in-answer"), events=events)
    try:
        error = await failure(target)
        assert isinstance(error, TargetError)
        assert "ended while it was answering (signal 9)" in error.message
        assert error.retry_after is not None
        await until(lambda: target.state().loaded is True and target.residency.idle_seconds is not None)
        died = next(event for event in events if event.kind is WorkerEventKind.DIED)
        assert (died.cause, died.restarts) == ("signal_9", 1)
        assert "secret" not in died.detail
        assert "which nobody kept; 'log' keeps them in a file" in died.detail
    finally:
        await target.close()


async def test_a_crash_loop_is_named_with_what_the_server_said() -> None:
    """Whoever runs the gateway reads the server's last words; clients read that it failed, and when to come back."""
    events: list[WorkerEvent] = []
    target = managed(server("--die-in-start", "3", restart_limit=2, retry_failed=60.0), events=events)
    try:
        error = await failure(target)
        assert isinstance(error, TargetUnavailable)
        assert "It failed 2 times in a row. Its server ended before it was ready (exit 3)." in error.message
        assert "blk.99" not in error.message
        assert (error.retry_after or 0) > 30
        assert "It printed last: loading the model | error: no such layer: blk.99" in target.problem
        state = target.state()
        assert (state.healthy, state.loaded) == (False, False)
        assert "2 times in a row" in state.problem
        assert (state.retry_in or 0) > 30
        assert [event.kind for event in events] == [WorkerEventKind.DIED, WorkerEventKind.FAILED]
        again = await failure(target)
        assert "2 times in a row" in again.message
    finally:
        await target.close()


@pytest.mark.parametrize(
    ("options", "settings", "said"),
    [
        (("--mute",), {"load_wait": 0.5, "restart_limit": 1}, "not ready within 0.5 seconds"),
        (("--slow", "60"), {"load_wait": 0.5, "restart_limit": 1}, "/health did not answer with 200"),
        (("--host", "0.0.0.0"), {"restart_limit": 1}, "listens on addresses that others reach"),
        ((), {"restart_limit": 1, "command": ("no-such-program-here", "{port}")}, "can't be started"),
        ((), {"restart_limit": 1, "directory": "/no/such/place"}, "can't be started"),
        ((), {"restart_limit": 1, "log": "/no/such/log"}, "/no/such/log: No such file"),
    ],
)
async def test_what_is_wrong_with_a_start_is_said(
    options: tuple[str, ...], settings: dict[str, Any], said: str
) -> None:
    """A server that is never ready, or that others could reach, is ended, and the owner reads why."""
    target = managed(server(*options, **settings))
    try:
        await failure(target)
        await until(lambda: bool(target.problem))
        assert said in target.problem
    finally:
        await target.close()


async def test_another_program_on_the_port_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody else listens on the port that was chosen, no request goes there."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    thief = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = thief.sockets[0].getsockname()[1]
    monkeypatch.setattr("gateway.local.managed.process.free_port", lambda host: port)
    target = managed(server(command=("sleep", "600"), restart_limit=1))
    try:
        await failure(target)
        assert "another program took the port" in target.problem
        assert not [head for head in asked if head.startswith(b"POST")]
    finally:
        await target.close()
        thief.close()


async def test_a_server_that_ignores_sigterm_is_killed_with_all_that_it_started() -> None:
    """After `stop_seconds` no process is left, also none in a session of its own."""
    target = managed(server("--stubborn", "--daughter", stop_seconds=0.3))
    try:
        said = await told(target)
        assert runs(said["daughter"])
        await target.unload()
        assert not runs(said["pid"])
        assert not runs(said["daughter"])
    finally:
        await target.close()


async def test_a_server_ends_with_a_launcher_that_is_killed() -> None:
    """Whoever kills the launcher kills the server with it: nothing is left that nobody watches."""
    events: list[WorkerEvent] = []
    target = managed(server(), events=events)
    try:
        pid = (await told(target))["pid"]
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)
        await until(lambda: not runs(pid) and any(event.kind is WorkerEventKind.DIED for event in events))
        await until(lambda: target.state().loaded is True)
        assert (await told(target))["pid"] != pid
    finally:
        await target.close()


async def test_a_person_starts_and_stops_it() -> None:
    """`load` returns when it can answer, `unload` when it is gone."""
    target = managed(server())
    try:
        await target.load(asyncio.get_running_loop().time() + 60)
        assert target.state().loaded is True
        await target.unload()
        assert target.state().loaded is False
    finally:
        await target.close()


async def test_the_queue_is_as_long_with_a_server_that_starts() -> None:
    """A crowd does not wait for a start without an end: beyond slots and queue it is refused at once."""
    target = managed(server("--slow", "0.5"), slots=1, queue=1)
    try:
        waiting = [asyncio.create_task(told(target)) for _ in range(2)]
        await asyncio.sleep(0)
        assert isinstance(await failure(target), TargetBusy)
        await asyncio.gather(*waiting)
    finally:
        await target.close()


def lives(note: Path) -> list[str]:
    """What the stand-ins wrote: starts and ends, in their order."""
    return [line.split()[0] for line in note.read_text().splitlines()]


def two(tmp_path: Path) -> tuple[ManagedTarget, ManagedTarget, Path]:
    """Two servers that don't fit together, and the file in which they note their lives."""
    note = tmp_path / "lives"
    pool = ModelPool(MemoryLimits(memory=10), turn=0.2, grace=0.05)
    first, second = (
        managed(server("--note", str(note)), name=name, pool=pool, memory=6) for name in ("painter", "speaker")
    )
    return first, second, note


async def test_two_servers_that_do_not_fit_together_take_turns(tmp_path: Path) -> None:
    """No request is lost, and one has ended before the other starts."""
    first, second, note = two(tmp_path)
    try:
        answers = await asyncio.gather(*(told(target) for target in (first, second, first, second, first)))
        assert len(answers) == 5
    finally:
        await first.close()
        await second.close()
    words = lives(note)
    assert words == ["start", "end"] * (len(words) // 2)
    assert len(words) >= 4


async def test_what_it_prints_goes_to_the_owners_file_and_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`log` names a file that only the owner reads; without one, what a server prints of a request is nowhere."""
    log = tmp_path / "server.log"
    for settings in (server(), server(log=str(log))):
        target = managed(settings)
        try:
            await told(target)
        finally:
            await target.close()
    assert "my secret" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    assert "my secret" not in "".join(capsys.readouterr())


async def test_a_failed_start_is_explained_from_the_owners_file(tmp_path: Path) -> None:
    """The server's last words are told also where they went into a file, and none from before this start."""
    log = tmp_path / "server.log"
    log.write_text("an old line\n")
    target = managed(server("--die-in-start", "3", restart_limit=1, log=str(log)))
    try:
        await failure(target)
        assert "blk.99" in target.problem
        assert "an old line" not in target.problem
    finally:
        await target.close()


async def test_a_server_that_falls_silent_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a request that got no answer its health is looked at; one that does not answer that either is ended."""
    monkeypatch.setattr("gateway.local.managed.supervisor._HEALTH_SECONDS", 0.5)
    events: list[WorkerEvent] = []
    target = managed(server("--mute-after", "1"), events=events, header_seconds=0.5, retries=0)
    try:
        first = (await told(target))["pid"]
        assert (await failure(target)).code == "target_timeout"
        await until(lambda: not runs(first))
        await until(lambda: target.state().loaded is True)
        assert (await told(target))["pid"] != first
        assert "silent" in {event.cause for event in events}
    finally:
        await target.close()


async def test_a_client_that_goes_away_lets_the_server_go() -> None:
    """A cancelled request holds nothing: neither a slot nor the server."""
    target = managed(server("--slow", "0.3"), slots=1)
    try:
        gone = asyncio.create_task(told(target))
        await until(lambda: target.residency.working == 1)
        gone.cancel()
        await asyncio.wait([gone])
        assert (target.residency.working, target.state().slots_busy) == (0, 0)
        await told(target)
    finally:
        await target.close()


async def test_closing_while_it_starts_leaves_nothing_behind() -> None:
    """The gateway may end at any moment: the process that was starting has ended when `close` returns."""
    target = managed(server("--slow", "60"))
    others = children()  # of other tests' houses
    waiting = asyncio.create_task(failure(target))
    await until(lambda: target.state().loading is not None and bool(children() - others))
    pids = children() - others
    await target.close()
    assert not [pid for pid in pids if runs(pid)]
    assert (await waiting).code == "target_unavailable"


def children() -> set[int]:
    """Processes below this one."""
    return set(descendants(os.getpid()))


async def test_a_server_that_passes_on_what_it_is_asked_gets_nothing(tmp_path: Path) -> None:
    """A server that says it runs the model on somebody else's machines is no local one, whoever started it."""
    target = managed(server("--elsewhere", "--note", str(tmp_path / "lives")))
    try:
        error = await failure(target)
        assert error.code == "target_not_local"
        assert target.state().healthy is False
    finally:
        await target.close()


async def test_the_next_model_waits_until_the_cards_memory_is_back(tmp_path: Path) -> None:
    """A driver gives memory back a moment after a process has ended: nothing is loaded before."""
    free, note = [10, 4, 4, 4, 10], tmp_path / "lives"
    looks: list[int] = []

    def measure() -> int:
        looks.append(len(note.read_text().splitlines()) if note.exists() else 0)
        return free[min(len(looks), len(free)) - 1]

    pool = ModelPool(MemoryLimits(memory=10), turn=0.2, grace=0.05)
    card = managed(server("--note", str(note), gpu_memory=6), pool=pool, memory=6, cards=lambda: CardMemory(measure))
    other = managed(server("--note", str(note)), name="speaker", pool=pool, memory=6)
    try:
        await told(card)
        await told(other)
        assert looks == [0, 1, 2, 2, 2]  # nothing ran, it was ready, then it had ended and the other had not begun
    finally:
        await card.close()
        await other.close()
