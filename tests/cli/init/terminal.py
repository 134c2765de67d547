"""The command in a pseudo-terminal of 80 columns, as a person uses it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of somebody new to this machine: a home of their own, and nothing set."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "XDG_CACHE_HOME")}
    judged = {name: value for name, value in os.environ.items() if name.startswith("ADUANA_INSPECTION")}
    home.mkdir(exist_ok=True)
    return {**kept, **judged, "HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}


def command(*words: str) -> list[str]:
    """Return the command line of `aduana`."""
    return [sys.executable, "-m", "gateway", *words]


class Terminal:
    """`with Terminal(words, env, cwd) as terminal:` then `answer` each question; `shown` is all that was seen."""

    def __init__(self, words: list[str], env: dict[str, str], cwd: Path) -> None:
        self.shown = ""
        self._seen = 0
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=env | {"TERM": "xterm"}, cwd=cwd, close_fds=True
        )
        os.close(theirs)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._own)

    def answer(self, question: str, typed: str) -> None:
        """Wait for the question, then type a line."""
        end = time.monotonic() + 240
        while question not in self.shown[self._seen :]:
            assert self._read(end), f"{question!r} was not asked:\n{self.shown}"
        self._seen = self.shown.index(question, self._seen) + len(question)
        os.write(self._own, typed.encode() + b"\n")

    def finish(self) -> int:
        """Read to the end, and return the exit status."""
        end = time.monotonic() + 240
        while self._read(end):
            pass
        return self._process.wait(240)

    def _read(self, end: float) -> bool:
        """Read some more; False: there is no more."""
        ready, _, _ = select.select([self._own], [], [], max(0.0, end - time.monotonic()))
        try:
            data = os.read(self._own, 65_536) if ready else b""
        except OSError:
            data = b""
        self.shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode()).replace("\r\n", "\n")
        return bool(data)
