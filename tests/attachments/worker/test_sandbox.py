"""Walls around the worker: each alone, and all together, against what a file that took it over would try."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
from gateway.attachments.worker.sandbox import Wall

ROOT = Path(gateway.__file__).resolve().parent.parent
MIB = 2**20
ATTEMPTS = {
    "connect": "import socket; socket.create_connection(('127.0.0.1', {port}), 5)",
    "open a socket": "import socket; socket.socket(socket.AF_UNIX)",
    "look around": "import os; os.listdir('{folder}')",
    "read a file": "open('{folder}/existing').read()",
    "write": "open('{folder}/new', 'w').write('x')",
    "append": "f = open('{folder}/existing', 'a'); f.write('x'); f.flush()",
    "remove": "import os; os.unlink('{folder}/existing')",
    "rename": "import os; os.rename('{folder}/existing', '{folder}/other')",
    "run a program": "import os; os.execv('/bin/echo', ['echo', 'done'])",
    "spawn": "import subprocess; subprocess.run(['/bin/true'], check=True)",
    "fork": "import os; os.fork() or os._exit(0)",
    "signal its parent": "import os; os.kill(os.getppid(), 0)",
    "take memory": "bytearray(2 ** 30)",
}
HOLDS = {
    Wall.LIMITS: {"append", "take memory"},
    Wall.NAMESPACES: {"connect"},
    Wall.LANDLOCK: {"connect", "look around", "read a file", "write", "append", "remove", "rename"},
    Wall.SECCOMP: {
        "connect", "open a socket", "write", "append", "remove", "rename", "run a program", "spawn", "fork",
        "signal its parent",
    },
}  # fmt: skip
RAISED = {
    Wall.LIMITS: f"from gateway.attachments.worker.sandbox.limits import apply; stands = apply({512 * MIB})",
    Wall.NAMESPACES: "from gateway.attachments.worker.sandbox.namespaces import enter; stands = enter()",
    Wall.LANDLOCK: "from gateway.attachments.worker.sandbox.landlock import restrict; stands = restrict()",
    Wall.SECCOMP: "from gateway.attachments.worker.sandbox.seccomp import restrict; stands = restrict()",
    None: "stands = True",
}
TOGETHER = f"from gateway.attachments.worker.sandbox import close; stands = close({512 * MIB})"


def outcome(wall: str, attempt: str) -> str:
    """Return how an attempt behind a wall ended: done, refused, or no such wall."""
    program = (
        f"{wall}\nif not stands:\n    raise SystemExit(print('no such wall'))\n"
        f"try:\n    exec({attempt!r})\n    print('done')\nexcept (OSError, MemoryError):\n    print('refused')"
    )
    command = [sys.executable, "-c", program]
    environment = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr


@pytest.fixture
def places(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A port that somebody listens on, and a folder with a file."""
    (tmp_path / "existing").write_text("content")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield {"port": str(server.getsockname()[1]), "folder": str(tmp_path)}


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
@pytest.mark.parametrize(("wall", "name"), [(wall, name) for wall, names in HOLDS.items() for name in sorted(names)])
def test_a_wall_that_stands_holds(wall: Wall, name: str, places: dict[str, str]) -> None:
    """Each wall refuses by itself what it is there for, where this system has it."""
    ended = outcome(RAISED[wall], ATTEMPTS[name].format(**places))
    if ended == "no such wall":
        pytest.skip(f"this system has no {wall}")
    assert ended == "refused"


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
def test_without_walls_everything_could_be_done(name: str, places: dict[str, str]) -> None:
    """The attempts are real ones: they succeed where no wall stands."""
    assert outcome(RAISED[None], ATTEMPTS[name].format(**places)) == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
@pytest.mark.parametrize("name", sorted(ATTEMPTS))
def test_together_they_refuse_what_those_that_stand_promise(name: str, places: dict[str, str]) -> None:
    """No wall opens what another one closes."""
    stand = outcome(TOGETHER, "print(*stands)").split()
    promised = any(name in HOLDS[Wall(wall)] for wall in stand if wall != "done")
    ended = outcome(TOGETHER, ATTEMPTS[name].format(**places))
    assert ended == "refused" if promised else ended in ("refused", "done")


@pytest.mark.parametrize(
    "work",
    [
        "import decimal; open(decimal.__file__).read()",
        "import threading; t = threading.Thread(target=int); t.start(); t.join()",
        "import numpy",
        "import ctypes, os; ctypes.CDLL(None).getpid()",
        f"bytearray({64 * MIB})",
    ],
)
def test_work_goes_on_behind_them(work: str) -> None:
    """Libraries load, threads run and memory is there up to the limit."""
    assert outcome(TOGETHER, work) == "done"


def test_an_abort_is_seen_as_one() -> None:
    """A library that gives up ends the process at once, with the signal that says so."""
    program = f"{TOGETHER}\nimport os\nos.abort()"
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == -6 or os.name == "nt"
