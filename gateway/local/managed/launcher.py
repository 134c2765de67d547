"""Run one server so that nothing of it outlives the gateway: `python -I -S launcher.py PATIENCE COMMAND …`.

A program of its own with nothing but the standard library, started as a file, so that it is quick and small. Its
standard input is a pipe that the gateway holds: when that is closed, by whatever way the gateway ended, the server is
stopped. Its standard output tells the gateway `pid N`, and at the end `exit N` or `signal N`; what the server prints
goes to standard error. It ends once every process has ended that the server started, also those that went into groups
or sessions of their own: this program adopts them. Then all their memory is back.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER, _SET_NO_NEW_PRIVILEGES = 1, 36, 38  # linux/prctl.h
_AGAIN = 0.5  # seconds between two rounds of killing: a process may have been born meanwhile
_CAN_T_START = 127


def main(patience: float, command: list[str]) -> None:
    """Start the server, stop it when the gateway says so or is gone. `patience`: seconds from SIGTERM to SIGKILL."""
    os.umask(0o077)
    with contextlib.suppress(OSError, ValueError):  # a unit that allows no limits has this one itself
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # memory holds prompts
    _control(_SET_CHILD_SUBREAPER, 1)
    _control(_SET_NO_NEW_PRIVILEGES, 1)
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _started(command)
    _tell(f"pid {server}")
    by_itself = _watched(server, wake)
    _empty(server, wake, 0.0 if by_itself else patience)


def _started(command: list[str]) -> int:
    """Return the process id of the server, which leads a group of its own."""
    launcher = os.getpid()
    server = os.fork()
    if server:
        with contextlib.suppress(OSError):  # it may have done it itself, and be another program by now
            os.setpgid(server, server)
        return server
    try:
        os.setpgid(0, 0)
        _control(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != launcher:
            os._exit(_CAN_T_START)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(2, 1)
        os.execvp(command[0], command)  # noqa: S606 - the owner's own command, which needs no shell
    except OSError as error:
        os.write(2, f"{command[0]} can't be started: {error.strerror}\n".encode())
    finally:
        os._exit(_CAN_T_START)


def _watched(server: int, wake: int) -> bool:
    """Wait until the server ends by itself (True), or the gateway wants it stopped or is gone (False)."""
    while True:
        readable, _, _ = select.select([0, wake], [], [])
        if wake in readable:
            stop = signal.SIGTERM in _signals(wake)
            if server in _reaped(server):
                return True
            if stop:
                return False
        if 0 in readable and not os.read(0, 4096):
            return False


def _empty(server: int, wake: int, patience: float) -> None:
    """End what is left of the server, and return when nothing is: first asked to, then killed."""
    deadline = time.monotonic() + patience
    if patience > 0:
        _ask(server)
    while _has_children():
        left = deadline - time.monotonic()
        if left <= 0:
            _kill(server)
        select.select([wake], [], [], min(_AGAIN, left) if left > 0 else _AGAIN)
        _signals(wake)
        _reaped(server)


def _ask(server: int) -> None:
    """Ask each process once to end: some take a second SIGTERM for impatience."""
    with contextlib.suppress(OSError):
        os.killpg(server, signal.SIGTERM)
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            if os.getpgid(pid) != server:
                os.kill(pid, signal.SIGTERM)


def _kill(server: int) -> None:
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    if sys.platform != "linux":  # where nobody says who descends from whom
        with contextlib.suppress(OSError):
            os.killpg(server, signal.SIGKILL)


def _reaped(server: int) -> list[int]:
    """Collect all that have ended, tell how the server did, and return their process ids."""
    found: list[int] = []
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(ended[0])
            if ended[0] == server:
                code = os.waitstatus_to_exitcode(ended[1])
                _tell(f"exit {code}" if code >= 0 else f"signal {-code}")
    return found


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def descendants(ancestor: int) -> list[int]:
    """Return every process below another, by /proc/N/stat (proc_pid_stat(5)); none where there is no such directory."""
    parents: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    found = []
    for pid in parents:
        above = parents.get(pid)
        while above is not None and above != ancestor:
            above = parents.get(above)
        if above is not None:
            found.append(pid)
    return found


def _signals(wake: int) -> set[int]:
    """Return the signals that came."""
    found: set[int] = set()
    with contextlib.suppress(BlockingIOError):
        while some := os.read(wake, 4096):
            found.update(some)
    return found


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):  # the gateway is gone
        os.write(1, f"{line}\n".encode())


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
