"""What a person reads of an app's settings."""

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.connect.app import App, Connection, SettingsFile
from gateway.cli.connect.documents import Edit, open_document
from gateway.core.translation import Translator

_SECRET = re.compile(r"(?i)key$|auth_token|secret|password")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of text to be copied, and where it belongs."""

    where: str
    format: str
    text: str


def console() -> Console:
    """Return the terminal, in which texts are broken between words only."""
    return Console(file=sys.stdout, highlight=False, emoji=False)


def shown(path: Path) -> str:
    """Return a path as people write it."""
    home = os.environ.get("HOME", "").rstrip("/")
    return "~" + str(path)[len(home) :] if home and str(path).startswith(home + "/") else str(path)


def fresh(file: SettingsFile, to: Connection) -> str:
    """Return a settings file that says what an app needs and nothing else."""
    empty = open_document(file.name, "", file.format)
    return empty.changed(empty.edits_towards(file.values(to)))


def parts(app: App, to: Connection, places: Sequence[Path | None], say: Translator) -> list[Part]:
    """Return everything that a person copies, in order."""
    found = [
        Part(where=shown(place) if place else file.name, format=file.format.value, text=fresh(file, to))
        for file, place in zip(app.files, places, strict=True)
    ]
    if app.variables is not None and (exported := exports(asked_variables(app, to))):
        found.append(Part(where=say("In the environment of the app"), format="sh", text=exported))
    if app.commands is not None:
        text = app.commands(to) + "\n"
        if f"${to.key_env}" in text and to.key is not None:
            text = exports({to.key_env: to.key}) + text
        found.append(Part(where=say("In a terminal"), format="sh", text=text))
    return found


def asked_variables(app: App, to: Connection) -> Mapping[str, str]:
    """Return the variables that a person sets: only the key's, where all the rest stands in a file."""
    variables = {} if app.variables is None else app.variables(to)
    if not app.files:
        return variables
    return {name: value for name, value in variables.items() if app.key_in_environment and value == to.key_text}


def exports(variables: Mapping[str, str]) -> str:
    """Return what a shell is told to set them."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def tell_settings(
    app: App, to: Connection, places: Sequence[Path | None], notes: Sequence[str], say: Translator
) -> None:
    """Print what to set in an app."""
    out = console()
    out.print(Text.assemble((app.title, "bold"), f" · {say('speaks')} {app.dialect}"))
    for part in parts(app, to, places, say):
        out.print()
        out.print(Text(part.where + ":", style="bold"), soft_wrap=True)
        out.print()
        out.print(Text(part.text.rstrip("\n")), soft_wrap=True)
    if app.fields:
        out.print()
        out.print(Text(app.where + ":", style="bold"))
        out.print()
        width = max(len(field.label) for field in app.fields)
        for field in app.fields:
            out.print(Text(f"  {field.label:{width}}  {field.filled(to)}"), soft_wrap=True)
    out.print()
    tell_notes(out, [*(say(note) for note in app.notes), *notes])
    for label, command in _next(app, say):
        out.print(Text(f"{label}: {command}"), soft_wrap=True)


def tell_notes(out: Console, notes: Sequence[str]) -> None:
    """Print remarks, one a paragraph with a mark before it."""
    if not notes:
        return
    table = Table.grid(padding=(0, 1))
    for note in notes:
        table.add_row("-", Text(note))
    out.print(table)
    out.print()


def _next(app: App, say: Translator) -> list[tuple[str, str]]:
    """Return what one can do next."""
    command = f"aduana connect {app.name}"
    following = [(say("Write it"), f"{command} --write")] if app.writable else []
    following += [(say("Try it"), f"{command} --check")]
    if app.program:
        following += [(say("Start it"), f"{command} -- {app.program}")]
    return following


def tell_foreign(path: Path, edits: Sequence[Edit], say: Translator) -> None:
    """Print which values of somebody else's would be replaced."""
    out = console()
    out.print(Text(say("{path} says otherwise:", path=shown(path))), soft_wrap=True)
    for edit in edits:
        secret = bool(_SECRET.search(edit.words))
        before = say("(another key)") if secret else _short(edit.before, say)
        after = say("(this key)") if secret else _short(edit.after, say)
        out.print(Text(f"  {edit.words}: {before} → {after}"), soft_wrap=True)


def _short(value: Any, say: Translator) -> str:
    """Return a value as it is, if it is a plain one: what is in a section may be anything."""
    if isinstance(value, dict | list):
        return say("(a section)")
    return json.dumps(value, ensure_ascii=False, default=str)


def tell_apps(apps: Mapping[str, App], say: Translator) -> None:
    """Print the apps that are known."""
    out = console()
    table = Table.grid(padding=(0, 2))
    for app in apps.values():
        does = [say("says what to set")]
        does += [say("writes it")] if app.writable else []
        does += [say("starts it")] if app.program else []
        table.add_row(Text(app.name, style="bold"), app.title, ", ".join(does))
    out.print(table)
    out.print()
    out.print(Text(say("What to set in one of them: aduana connect APP. More is in docs/apps/README.md.")))
