"""A PostgreSQL server of the tests' own: a new cluster, a socket in a folder and no address, gone behind them."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

_USER = "aduana"
_ORDINARY = ("postgres", "nobody")  # users as which it may run where the tests are root's, which it refuses to be
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "logging_collector": "off",
    "lc_messages": "C",
}


class Postgresql:
    """A running server."""

    def __init__(self, programs: Path, folder: Path, run_as: list[str]) -> None:
        self.folder = folder
        self._programs = programs
        self._run_as = run_as
        self._server: subprocess.Popen[bytes] | None = None
        self._made = 0

    def url(self, schema: str = "public", database: str = "aduana") -> str:
        """Return the address of a schema."""
        options = quote(f"-csearch_path={schema}", safe="")
        return f"postgresql://{_USER}@/{database}?host={quote(str(self.folder), safe='')}&options={options}"

    def fresh(self) -> str:
        """Make a new schema, and return its address."""
        self._made += 1
        name = f"ledger_{os.getpid()}_{self._made}"
        self.run(f"CREATE SCHEMA {name}")
        return self.url(name)

    def run(self, sql: str, database: str = "aduana") -> list[tuple[object, ...]]:
        """Run statements as somebody else would, and return the rows of the last one."""
        import psycopg

        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server, and return when it answers."""
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*self._run_as, self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings],
                stdout=log,
                stderr=log,
            )
        ready = [self._programs / "pg_isready", "-q", "-h", self.folder, "-U", _USER, "-d", "postgres"]
        end = time.monotonic() + 60
        while subprocess.run(ready, check=False).returncode != 0:
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.02)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server stand still, with all connections open, as one whose disk hangs."""
        assert self._server is not None
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self._server.pid)], check=True, capture_output=True)
        processes = [self._server.pid, *map(int, listed.stdout.split())]
        try:
            for process in processes:
                os.kill(process, signal.SIGSTOP)
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: at once, with SIGQUIT as a crash would."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(60)
            self._server = None


@contextlib.contextmanager
def running_postgresql() -> Iterator[Postgresql]:
    """Start a server of its own; the test is skipped, with a reason, where that can't be done."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    run_as = _run_as()
    memory = Path("/dev/shm")
    base = memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**29 else None
    folder = Path(tempfile.mkdtemp(prefix="aduana-pg-", dir=base))
    try:
        if run_as:
            shutil.chown(folder, next(name for name in _ORDINARY if _exists(name)))
        made = subprocess.run(
            [*run_as, programs / "initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync"],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        if made.returncode != 0:
            pytest.skip(f"PostgreSQL can't make a cluster here: {made.stderr.strip()[-300:]}")
        server = Postgresql(programs, folder, run_as)
        server.start()
        try:
            server.run("CREATE DATABASE aduana", database="postgres")
            yield server
        finally:
            server.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found is not None else None


def _run_as() -> list[str]:
    """Return what a command is put behind so that it runs as an ordinary user, and ends when the tests do."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "INT"] if setpriv is not None else []
    name = next((name for name in _ORDINARY if _exists(name)), None)
    if setpriv is None or name is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no setpriv to run it as another user")
    return [setpriv, f"--reuid={name}", "--regid", str(_group(name)), "--clear-groups", "--pdeathsig", "INT"]


def _exists(name: str) -> bool:
    import pwd

    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _group(name: str) -> int:
    import pwd

    return pwd.getpwnam(name).pw_gid
