"""Under systemd: who started the gateway learns that it listens and lives, and may hand over the port."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.service.manager import ServiceManager, handed_sockets, service_manager

CONFIG = """
state_dir: {state}
server: {{port: 1}}
targets: {{den: {{kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}}}}
"""
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "WATCHDOG_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


class Systemd:
    """The part of systemd that a service of `Type=notify` sees: it opens the port, and hears what it is told."""

    def __init__(self, folder: Path, kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> None:
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(folder / "notify"))
        self.notify.settimeout(60)
        self.port = socket.socket(socket.AF_INET, kind)
        self.port.bind((host, 0))
        if kind == socket.SOCK_STREAM:
            self.port.listen()
        config = folder / "aduana.yaml"
        config.write_text(CONFIG.format(state=folder / "state"))
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_SYSTEMD, str(self.port.fileno()), sys.executable, "-m", "gateway", "serve"],
            cwd=folder,
            env=os.environ
            | {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "1500000", "PYTHONPATH": os.getcwd()},
            pass_fds=[self.port.fileno()],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def until(self, line: str) -> list[str]:
        """Return what was said until a line that begins so."""
        said: list[str] = []
        while not any(one.startswith(line) for one in said):
            said += self.notify.recv(4096).decode().splitlines()
        return said

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for one in (self.notify, self.port, self.process.stderr):
            one.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """Start a gateway as systemd does."""
    manager = Systemd(tmp_path)
    yield manager
    manager.close()


def test_it_takes_the_port_and_tells_how_it_is(systemd: Systemd) -> None:
    """A client that came before the gateway is answered; readiness, status, signs of life and the stop are told."""
    with socket.create_connection(systemd.port.getsockname(), timeout=60) as early:
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        systemd.until("READY=1")
        assert early.recv(4096).startswith(b"HTTP/1.1 200")
    for _ in range(3):
        systemd.until("WATCHDOG=1")
    systemd.process.send_signal(signal.SIGTERM)
    systemd.until("STOPPING=1")
    assert systemd.process.wait(30) == 0


def test_its_status_is_told(systemd: Systemd) -> None:
    """`systemctl status` shows in a sentence what the gateway can do."""
    said = systemd.until("STATUS=")
    assert any("den" in line for line in said if line.startswith("STATUS="))


@pytest.mark.parametrize(
    ("kind", "host", "says"),
    [
        pytest.param(socket.SOCK_STREAM, "0.0.0.0", "no 'keys' are configured", id="reachable without keys"),
        pytest.param(socket.SOCK_DGRAM, "127.0.0.1", "ListenStream=127.0.0.1:8484", id="not for TCP"),
    ],
)
def test_a_port_that_must_not_be_served_is_refused(tmp_path: Path, kind: int, host: str, says: str) -> None:
    """Where it really listens counts, not what the configuration says; exit status 2 is not tried again."""
    manager = Systemd(tmp_path, kind, host)
    try:
        _, error = manager.process.communicate(timeout=60)
        assert says in error
        assert manager.process.returncode == 2
    finally:
        manager.close()


def test_variables_for_somebody_else_are_left_alone() -> None:
    """Sockets for another process are not taken; no child of the gateway finds any of these variables."""
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "9", "WATCHDOG_PID": "1"}
    assert handed_sockets(environ) == ()
    service_manager(environ)
    assert environ == {}


async def test_where_nobody_listens_nothing_happens(tmp_path: Path) -> None:
    """A service manager that is gone does not end the gateway."""
    manager = ServiceManager(str(tmp_path / "gone"), watchdog_seconds=0.01)
    manager.ready()
    telling = asyncio.create_task(manager.keep_told(lambda: "fine"))
    await asyncio.sleep(0.05)
    assert not telling.done()
    telling.cancel()
    await asyncio.wait([telling])
