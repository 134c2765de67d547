"""The state directory: it must be there, or be made, and be written by whoever runs the gateway."""

import errno
import getpass
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.app.state.directory import own_files
from gateway.app.state.memory import StateMemory
from gateway.app.state.stores import BATCHES_FILE
from gateway.core.errors import ConfigurationError
from gateway.settings import Settings
from gateway.stored.examination import store_problem
from gateway.stored.store import FILE_NAME as RESPONSES_FILE


def state_problems(settings: Settings) -> Iterator[str]:
    """Explain in sentences why the state directory, or what is stored in it, can't be used. Writes nothing."""
    folder = settings.state_dir
    try:
        folder.stat()
    except FileNotFoundError:
        yield from _can_be_made(folder)
        return
    except OSError as error:
        yield f"state_dir: {folder} can't be used: {error.strerror}. {_OTHER}"
        return
    if not folder.is_dir():
        yield f"state_dir: {folder} is a file, not a directory. {_OTHER}"
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield _closed(folder)
        return
    closed = next((file for file in own_files(folder) if not os.access(file, os.R_OK | os.W_OK)), None)
    if closed is not None:
        yield _closed(closed)
        return
    for setting, name, store in (
        ("responses", RESPONSES_FILE, settings.responses.store),
        ("batches", BATCHES_FILE, settings.batches.store),
    ):
        if store != "off" and settings.ledger.database is None and (problem := store_problem(folder / name, setting)):
            yield f"{setting}.store: {problem}"
    try:
        StateMemory(folder).look()
    except ConfigurationError as error:
        yield from (f"state_dir: {problem}" for problem in error.problems)


_OTHER = "Write another directory, or make this one usable."


def _closed(path: Path) -> str:
    """Say that a path can't be written, and what to do: whoever else owns it may be the gateway's own user."""
    try:
        owner = path.owner()
    except (KeyError, OSError):
        owner = str(path.lstat().st_uid)
    if owner == _user():
        return f"state_dir: {path} can't be written. Run: chmod -R u+rwX '{path}'"
    return (
        f"state_dir: {path} belongs to {owner}, and {_user()} can't write there. Run this as {owner} "
        f"(sudo -u {owner} …), or write another directory."
    )


def _can_be_made(folder: Path) -> Iterator[str]:
    place = next((one for one in folder.parents if one.exists()), folder)
    if not place.is_dir():
        yield f"state_dir: {folder} can't be made: {os.strerror(errno.ENOTDIR)} ({place}). {_OTHER}"
    elif not os.access(place, os.W_OK | os.X_OK):
        yield (
            f"state_dir: {folder} can't be made: {_user()} may not write to {place}. "
            f"Run: sudo install -d -m 700 -o {_user()} '{folder}'"
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in containers
        return str(os.getuid())
