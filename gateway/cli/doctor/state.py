"""The state directory, the ledger, and what both need around them: clock, disk, open files."""

import ctypes
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gateway.app.state.directory import own_files
from gateway.app.state.ledger_place import ledger_place
from gateway.app.state.losses import losses
from gateway.app.state.memory import StateMemory
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.core.errors import ConfigurationError
from gateway.ledger import Examination, examine
from gateway.server.descriptors import affordable_connections
from gateway.settings.retention import RetentionConfig
from gateway.setup.machine import disk_of

_LEAST_DISK, _LITTLE_DISK = 500e6, 5e9  # bytes
_AHEAD = 300.0  # seconds
_QUICK_BYTES = 64 * 2**20
_UNSYNCHRONISED = 5  # TIME_ERROR of <sys/timex.h>


def directory(patient: Patient) -> Iterator[Finding]:
    """Yield whose the state directory is, and who may read it."""
    if patient.settings is None:
        return
    folder = patient.settings.state_dir
    if not folder.exists():
        yield ok(f"{folder} is not there yet; 'aduana serve' makes it")
        return
    if not patient.own:
        owner = _owner(folder)
        yield note(f"{folder} belongs to {owner}, and you are somebody else, so its ledger was not opened.",
                   f"Run: sudo -u {owner} aduana doctor")  # fmt: skip
    open_to_others = [file for file in (folder, *own_files(folder)) if file.lstat().st_mode & 0o077]
    if not open_to_others:
        yield ok(f"{folder} is for its owner alone")
    elif patient.running is None:
        yield note(f"Others on this machine may open {open_to_others[0]}.", "The next start takes that away by itself.")
    else:
        yield problem(f"Others on this machine may open {open_to_others[0]}.", f"Run: chmod go= '{open_to_others[0]}'")


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except (KeyError, OSError):
        return str(folder.stat().st_uid)


def ledger(patient: Patient) -> Iterator[Finding]:
    """Yield whether the ledger is whole, how fast it grows, and whether anything of the state was lost."""
    if patient.settings is None or not patient.own:
        return
    try:
        place = ledger_place(patient.settings)
    except ConfigurationError as error:
        yield from (problem(one) for one in error.problems)
        return
    found = examine(place, check_bytes=_QUICK_BYTES if patient.quick else None)
    if found is None:
        yield ok("no ledger yet")
        return
    if found.problem:
        yield problem(found.problem)
        return
    if found.place:
        checked = f"in PostgreSQL ({found.place})"
    else:
        checked = "whole (quick_check)" if found.checked else "not read whole (--quick)"
    yield ok(f"schema {found.version}, {found.bytes / 1e6:.1f} MB, {found.requests:,} requests, {checked}")
    yield from _growth(found, patient.settings.retention)
    if found.newest is not None and found.newest > time.time() + _AHEAD:
        when = datetime.fromtimestamp(found.newest).astimezone().isoformat(" ", "minutes")
        yield problem(f"Its newest request is from {when}, which is yet to come: the clock went back.",
                      "Set the clock right (timedatectl set-ntp true).")  # fmt: skip
    if patient.running is None:
        yield from _lost(patient.settings.state_dir, found, shared=bool(found.place))


def _growth(found: Examination, retention: RetentionConfig) -> Iterator[Finding]:
    if found.newest_bytes is None:
        return
    text = f"it grows by {1000 * found.newest_bytes / 1e6:.2f} MB for each 1,000 requests"
    until = f"{retention.days} days" if retention.days else "for ever"
    if retention.max_bytes is None:
        yield ok(f"{text}, which stay {until}; there is no bound (retention.max_bytes)")
        return
    limit = f"the bound of {retention.max_bytes / 1e6:,.0f} MB"
    days = found.full_in_days(retention.max_bytes)
    if found.used >= 0.9 * retention.max_bytes:
        yield ok(f"{text}; {limit} is reached, so the oldest make room")
    elif days is None or (retention.days and days > retention.days):
        yield ok(f"{text}, which stay {until}; {limit} is not reached before")
    else:
        yield ok(f"{text}; {limit} will be reached in about {max(1, round(days)):,} days, then the oldest make room")


def _lost(folder: Path, found: Examination, *, shared: bool) -> Iterator[Finding]:
    if found.identity is None:
        return
    try:
        lost = losses(StateMemory(folder, shared=shared).look(), found.identity)
    except ConfigurationError:
        return  # told with the configuration
    if lost:
        yield problem(lost.sentence())


def surroundings(patient: Patient) -> Iterator[Finding]:
    """Yield what is said of clock, disk and the limit of open files."""
    yield from _clock()
    settings = patient.settings
    if settings is None:
        return
    seen: set[tuple[int, int]] = set()
    for folder in (settings.state_dir, settings.model_directory):
        disk = disk_of(folder)
        if disk is None or (disk.total, disk.free) in seen:
            continue
        seen.add((disk.total, disk.free))
        text = f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB are free for {folder}"
        if disk.free < _LEAST_DISK and folder == settings.state_dir:
            yield problem(text + "; when it is full, requests are refused.", "Make room.")
        elif disk.free < _LITTLE_DISK:
            yield note(text, "Make room soon.")
        else:
            yield ok(text)
    kept = affordable_connections(settings.server.max_connections)
    if kept < settings.server.max_connections:
        yield note(f"The limit of open files lets {kept} connections in, fewer than server.max_connections.",
                   "Raise it: ulimit -n, or LimitNOFILE of the service.")  # fmt: skip


def _clock() -> Iterator[Finding]:
    now = datetime.now().astimezone()
    text = f"the clock says {now.isoformat(' ', 'minutes')} ({now.tzname()})"
    if now.year < 2026:
        yield problem(text[0].upper() + text[1:] + ", which is past.", "Set it: timedatectl set-ntp true")
    elif _synchronised() is False:
        yield note(text + ", and nothing keeps it right", "Budgets and tariffs go by it: timedatectl set-ntp true")
    else:
        yield ok(text)


def _synchronised() -> bool | None:
    """Say whether the kernel knows that the clock is kept right. None: it can't be asked."""
    timex = (ctypes.c_char * 256)()  # `modes` 0 only reads
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _UNSYNCHRONISED
