"""What the doctor says of the seal: who asks clouds, whether the gateway could, and who else goes out."""

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.app.egress.probe import FILE_NAME, Attempt, Probed
from gateway.cli.doctor.finding import Level, Patient
from gateway.cli.doctor.seal import relays, seal
from gateway.egress.messages import Hello, Kind, frame
from gateway.settings import Settings

SCRIPT = Path(__file__).parents[3] / "deploy" / "seal-certificates.sh"
CLOUD = {"kind": "openai", "zone": "cloud", "base_url": "https://cloud.example/v1", "model": "m"}


def patient(folder: Path, target: dict[str, Any], **egress: Any) -> Patient:
    settings = Settings(state_dir=folder, targets={"away": target}, egress=egress or {"process": "child"})
    return Patient(settings=settings, running=os.getpid())


@pytest.fixture(autouse=True)
def as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests ask clouds without the process that these are about."""
    monkeypatch.delenv("ADUANA_EGRESS__PROCESS")


@pytest.fixture
def server() -> Iterator[str]:
    """A server at home, in this process: its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@contextlib.contextmanager
def answering(path: Path, greeting: bytes) -> Iterator[None]:
    """Somebody at a Unix socket, who says one thing to one caller."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def greet() -> None:
            with listener.accept()[0] as caller:
                caller.sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        yield
        thread.join()
    path.unlink()


def unit(folder: Path) -> dict[str, Any]:
    return {"process": "unit", "socket": folder / "s", "key": f"file:{folder}/key"}


def test_who_asks_clouds(tmp_path: Path) -> None:
    """No cloud, the gateway itself, its child: each is told, and none is a problem."""
    home = CLOUD | {"zone": "local", "base_url": "http://127.0.0.1:9/v1"}
    for found, word in (
        (seal(patient(tmp_path, home)), "no cloud target"),
        (seal(patient(tmp_path, CLOUD, process="none")), "egress.process is none"),
        (seal(patient(tmp_path, CLOUD, process="child")), "a process of its own"),
    ):
        told = list(found)
        assert any(word in one.text for one in told)
        assert all(one.level is not Level.PROBLEM for one in told)


def test_nobody_at_the_socket_is_a_problem(tmp_path: Path) -> None:
    """A way out that does not answer is named with its path."""
    first = next(iter(seal(patient(tmp_path, CLOUD, **unit(tmp_path)))))
    assert (first.level, str(tmp_path / "s") in first.text) == (Level.PROBLEM, True)


def test_what_the_way_out_reaches_and_the_gateway_does_not_is_a_wall(tmp_path: Path) -> None:
    """Packets that are dropped say nothing by themselves; if the way out reaches that cloud, something stops them."""
    tried = (
        Attempt(address="cloud.example:443", outcome="unanswered"),
        Attempt(address="192.0.2.1:443", outcome="unanswered"),
    )
    found = Probed(pid=os.getpid(), at=time.time(), attempts=tried)
    (tmp_path / FILE_NAME).write_bytes(msgspec.json.encode(found))
    for reached, level in (((), Level.NOTE), (("cloud.example:443",), Level.OK), (("other:443",), Level.NOTE)):
        greeting = frame(Kind.HELLO, Hello(life=b"life", reached=reached))
        with answering(tmp_path / "s", greeting):
            first, last = seal(patient(tmp_path, CLOUD, **unit(tmp_path)))
        assert (first.level, last.level) == (Level.OK, level)


def test_a_way_out_elsewhere_is_named(tmp_path: Path) -> None:
    """Certificates that can't be read are named with their setting, and an address that nobody answers at as it is."""
    subprocess.run([SCRIPT, "localhost", tmp_path], check=True, capture_output=True, timeout=60)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    tls = {"authority": tmp_path / "ca.crt", "certificate": tmp_path / "gateway.crt", "key": tmp_path / "gateway.key"}
    egress = {"process": "unit", "address": f"localhost:{port}", "key": f"file:{tmp_path}/seal.key"}
    first = next(iter(seal(patient(tmp_path, CLOUD, tls=tls, **egress))))
    assert (first.level, f"localhost:{port}" in first.text) == (Level.PROBLEM, True)
    (tmp_path / "gateway.key").write_text("no key")
    first = next(iter(seal(patient(tmp_path, CLOUD, tls=tls, **egress))))
    assert (first.level, first.text.startswith("egress.tls.key: ")) == (Level.PROBLEM, True)


@pytest.mark.parametrize(
    ("outcome", "nobody", "level", "words"),
    [
        ("refused", "refused", Level.OK, "was refused"),
        ("unknown", "refused", Level.OK, "was refused"),
        ("unanswered", "refused", Level.NOTE, "nobody answered at cloud.example:443"),
        ("unknown", "no_route", Level.NOTE, "No route"),
        ("open", "refused", Level.PROBLEM, "can reach cloud.example:443"),
    ],
)
def test_what_the_gateway_itself_tried_is_told(
    tmp_path: Path, outcome: str, nobody: str, level: Level, words: str
) -> None:
    """Only a refusal by the kernel is a seal, and not that the machine is off line; an open connection is a problem."""
    tried = (Attempt(address="cloud.example:443", outcome=outcome), Attempt(address="192.0.2.1:443", outcome=nobody))
    found = Probed(pid=os.getpid(), at=time.time(), attempts=tried)
    (tmp_path / FILE_NAME).write_bytes(msgspec.json.encode(found))
    last = list(seal(patient(tmp_path, CLOUD, **unit(tmp_path))))[-1]
    assert (last.level, words in last.text) == (level, True)


def test_an_old_probe_says_nothing(tmp_path: Path) -> None:
    """What another process tried, or this one long ago, does not count."""
    for pid, at in ((1, time.time()), (os.getpid(), time.time() - 86_400)):
        (tmp_path / FILE_NAME).write_bytes(msgspec.json.encode(Probed(pid=pid, at=at, attempts=())))
        last = list(seal(patient(tmp_path, CLOUD, **unit(tmp_path))))[-1]
        assert (last.level, "has not tried lately" in last.text) == (Level.NOTE, True)


def test_a_server_at_home_without_connections_is_well(tmp_path: Path, server: str) -> None:
    """The process that listens there is named, where it can be seen."""
    own, found = relays(patient(tmp_path, CLOUD | {"zone": "local", "base_url": server}))
    assert own.text.startswith("the gateway's own processes")
    assert found.level is Level.OK
    assert f"process {os.getpid()}" in found.text or "can't be seen" in found.text


def test_each_of_several_servers_is_looked_at(tmp_path: Path, server: str) -> None:
    """A target with several servers is told of with each one that is on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        home = {"kind": "openai", "zone": "local", "servers": [server, other], "model": "m"}
        _, *found = relays(patient(tmp_path, home))
    assert len(found) == 2
    assert all(one.level is Level.OK and one.text.startswith("away: ") for one in found)
