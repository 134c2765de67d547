"""The probe of the seal tells a connection that opens from one that nobody answers."""

import asyncio
import errno
import json
import socket
from pathlib import Path

import pytest

from gateway.app.egress import probe
from gateway.app.egress.probe import keep_probing, last_probe, probed


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_what_opens_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is reached and gets no byte; a port that nobody has and a name that nobody knows are told apart."""
    got: list[bytes] = []
    done = asyncio.Event()

    async def arrived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            got.append(await reader.read())
        except ConnectionResetError:
            got.append(b"")
        writer.close()
        done.set()

    server = await asyncio.start_server(arrived, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(probe, "NOBODY", ("127.0.0.1", closed_port()))
    found = await probed((("127.0.0.1", port), ("no-such-name.invalid", 443)), pid=7)
    async with asyncio.timeout(10):
        await done.wait()
    server.close()
    await server.wait_closed()
    assert [one.outcome for one in found.attempts] == ["open", "unknown", "unanswered"]
    assert got == [b""]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(errno.EPERM, "refused"), (errno.EHOSTUNREACH, "refused"), (errno.ENETUNREACH, "no_route")],
)
async def test_a_machine_that_is_off_line_is_no_wall(error: int, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall says that it refuses; where no route leads anywhere, nobody has refused anything."""

    async def fails(*_: object) -> None:
        raise OSError(error, "no")

    monkeypatch.setattr(asyncio, "open_connection", fails)
    assert {one.outcome for one in (await probed((("cloud.example", 443),), pid=7)).attempts} == {outcome}


async def test_the_result_is_kept_for_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was tried stands in the state directory, with the process that tried."""
    monkeypatch.setattr(probe, "NOBODY", ("127.0.0.1", closed_port()))
    probing = asyncio.create_task(keep_probing((), tmp_path, pid=7))
    async with asyncio.timeout(10):
        while last_probe(tmp_path) is None:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)
    probing.cancel()
    await asyncio.wait([probing])
    assert json.loads((tmp_path / probe.FILE_NAME).read_bytes())["pid"] == 7
