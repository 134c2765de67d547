"""What `aduana connect APP` does besides telling: write, take back, try, start."""

import os
import sys
from pathlib import Path

from rich.table import Table
from rich.text import Text

from gateway.cli.connect.app import App, Connection, SettingsFile
from gateway.cli.connect.asking import check
from gateway.cli.connect.connection import Found
from gateway.cli.connect.settings_files import Plan, backup_of, plan, undo, write
from gateway.cli.connect.telling import asked_variables, console, shown, tell_foreign, tell_notes
from gateway.core.errors import BadRequest
from gateway.core.translation import Translator


def notes_about(app: App, found: Found) -> list[str]:
    """Return what the person should know about the connection."""
    window = [found.window_note] if found.window_note and app.tells_window else []
    return [*found.notes, *window, *([found.missing_key] if found.missing_key else [])]


def _plans(app: App, to: Connection, places: list[Path | None], say: Translator) -> list[tuple[SettingsFile, Plan]]:
    """Return what writing would do to each file whose place is known.

    Raises:
        BadRequest: The place of none is known.
    """
    known = [(file, place) for file, place in zip(app.files, places, strict=True) if place is not None]
    if not known:
        told = say("The settings of {app} are not in a file that is known here.", app=app.title)
        if app.files:
            told += " " + say("Its file is {name}: say where with --file.", name=app.files[0].name)
        raise BadRequest(told + " " + say("'aduana connect {name}' prints what to set.", name=app.name))
    return [(file, plan(file, to, place)) for file, place in known]


def write_settings(
    app: App, found: Found, to: Connection, places: list[Path | None], replace: bool, say: Translator
) -> int:
    """Write the app's files.

    Raises:
        BadRequest: The key is not known, and the file needs it.
    """
    plans = _plans(app, to, places, say)
    if found.missing_key and any(file.holds_key for file, _ in plans):
        raise BadRequest(f"{found.missing_key} {say('Set it, or name a variable that holds it with --key-env.')}")
    foreign = [planned for _, planned in plans if planned.foreign]
    for planned in foreign:
        tell_foreign(planned.path, planned.foreign, say)
    out = console()
    if foreign and not replace:
        out.print(say("Nothing was written. --replace writes it all the same; --undo brings these values back."))
        return 1
    for _, planned in plans:
        if planned.written:
            out.print(say("{path} has these settings already.", path=shown(planned.path)), soft_wrap=True, markup=False)
            continue
        write(planned)
        out.print(say("{path} is written.", path=shown(planned.path)), soft_wrap=True, markup=False)
        if planned.base is not None:
            kept = shown(backup_of(planned.path))
            out.print(say("As it was before, it is in {path}.", path=kept), soft_wrap=True, markup=False)
        if planned.base is not None and planned.mode != planned.base_mode:
            out.print(say("Only you can read it now, for there is a key in it."))
    notes = notes_about(app, found)
    if app.key_in_environment and to.needs_key:
        names = ", ".join(asked_variables(app, to))
        notes.append(say("The key is not in the file: the app reads it from the variable {name}.", name=names))
    tell_notes(out, notes)
    out.print(say("Try it: {command}", command=f"aduana connect {app.name} --check"), soft_wrap=True, markup=False)
    return 0


def undo_settings(app: App, places: list[Path | None], say: Translator) -> int:
    """Take back what was written into the app's files, and return 1 where nothing was."""
    out = console()
    done = False
    for file, place in zip(app.files, places, strict=True):
        undone = undo(place, file.format) if place is not None else None
        if place is None or undone is None:
            continue
        done = True
        if undone.content is None:
            told = say("{path} is gone, as it was not there before.", path=shown(place))
        elif undone.exact:
            told = say("{path} is again as it was before.", path=shown(place))
        else:
            told = say("{path} has been changed since. What was ours is out of it again.", path=shown(place))
        out.print(told, soft_wrap=True, markup=False)
        if undone.kept:
            out.print(say("Somebody has changed these since, and they stay: {names}.", names=", ".join(undone.kept)))
    if not done:
        out.print(say("Nothing was written for {app} here.", app=app.title))
    return 0 if done else 1


def check_connection(app: App, found: Found, places: list[Path | None], say: Translator) -> int:
    """Ask the gateway in the app's way, and return 1 where that does not work."""
    out = console()
    if found.missing_key:
        out.print(found.missing_key, markup=False)
        return 1
    to = found.connection
    table = Table.grid(padding=(0, 2))
    for file, place in zip(app.files, places, strict=True):
        if place is not None:
            table.add_row(
                say("note"), Text(_file_state(file, to.from_container() if app.container else to, place, say))
            )
    steps = check(app, to, say)
    for step in steps:
        sign = Text(say("good"), style="green") if step.good else Text(say("bad"), style="red")
        table.add_row(sign, Text(step.told))
    out.print(table)
    return 0 if all(step.good for step in steps) else 1


def _file_state(file: SettingsFile, to: Connection, place: Path, say: Translator) -> str:
    """Say whether a file has the settings."""
    if plan(file, to, place).written:
        return say("{path} has these settings.", path=shown(place))
    return say("{path} does not have these settings (--write).", path=shown(place))


def start_app(app: App, found: Found, command: list[str], places: list[Path | None], say: Translator) -> int:
    """Become the app, with everything set.

    Raises:
        BadRequest: It can't be started with variables, or it is not installed.
    """
    if app.variables is None:
        raise BadRequest(
            say("{app} takes no settings from its environment.", app=app.title)
            + " "
            + say("'aduana connect {name}' prints what to set.", name=app.name)
        )
    if found.missing_key:
        raise BadRequest(found.missing_key)
    command = command or [app.program]
    if not command[0]:
        raise BadRequest(say("Which command starts {app}? Write it behind '--'.", app=app.title))
    to = found.connection
    for file, place in zip(app.files, places, strict=True):
        if place is not None and (foreign := plan(file, to, place).foreign):
            names = ", ".join(edit.words for edit in foreign)
            told = say("{path} says otherwise, and may win: {names}.", path=shown(place), names=names)
            print(f"aduana: {told}", file=sys.stderr)
    if app.arguments is not None and Path(command[0]).name == app.program:
        command[1:1] = app.arguments(to)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], command, os.environ | app.variables(to))  # noqa: S606 - the person names the program
    except OSError as error:
        told = say("{name} can't be started: {reason}. Is it installed?", name=command[0], reason=error.strerror)
        raise BadRequest(told) from error
