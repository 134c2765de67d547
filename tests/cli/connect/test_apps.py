"""What the command says of each app is what its page in docs/apps/ says, and every sentence is there in Spanish."""

import json
import re
import tomllib
from operator import attrgetter
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from gateway.cli.connect import spanish
from gateway.cli.connect.app import App, Connection, Format
from gateway.cli.connect.apps import APPS
from gateway.cli.connect.telling import asked_variables, exports, fresh
from tests.cli.translated import assert_translated

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = REPOSITORY / "docs" / "apps"
DOCUMENTED = Connection(url="http://127.0.0.1:8484", key="your key", needs_key=True)
KEYLESS = Connection(url="http://127.0.0.1:8484", key=None, needs_key=False)


def page(app: App) -> str:
    """Return the text of an app's page."""
    return (PAGES / f"{app.name}.md").read_text(encoding="utf-8")


def seen_by(app: App) -> Connection:
    """Return the connection as the app has it."""
    return DOCUMENTED.from_container() if app.container else DOCUMENTED


def blocks(app: App, language: str) -> list[str]:
    """Return the blocks on an app's page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", page(app), re.DOTALL)


def read(text: str, kind: Format) -> object:
    """Return what a settings file says."""
    match kind:
        case Format.JSON:
            return json.loads(text)
        case Format.TOML:
            return tomllib.loads(text)
        case Format.YAML:
            return YAML(typ="safe", pure=True).load(text)


def test_every_page_has_its_app_and_every_app_its_page():
    """Nobody finds a page that the command does not know, or the other way round."""
    assert {file.stem for file in PAGES.glob("*.md")} - {"README"} == set(APPS)


@pytest.mark.parametrize("app", APPS.values(), ids=attrgetter("name"))
def test_a_page_says_what_the_command_says(app):
    """Files, fields, variables and commands are the same on both."""
    to = seen_by(app)
    for file in app.files:
        said = [read(block, file.format) for block in blocks(app, file.format)]
        assert file.values(to) in said, f"{app.name}.md does not show {file.format} as 'aduana connect' prints it"
        assert (file.place.names[0] if file.place else file.name) in page(app)
    if app.fields:
        assert app.where in page(app)
    for field in app.fields:
        cell = re.search(rf"^\| {re.escape(field.label)} \| (.*) \|$", page(app), re.MULTILINE)
        assert cell, f"{app.name}.md has no row {field.label!r}"
        assert cell.group(1).replace("`", "").startswith(field.filled(to))
    if not app.files and app.variables is not None:
        assert exports(app.variables(to)) in blocks(app, "sh")
    assert all(name in page(app) for name in asked_variables(app, to))
    if app.commands is not None:
        assert app.commands(to) + "\n" in blocks(app, "sh")
    assert f"aduana connect {app.name}" in page(app)
    assert ("--write" in page(app)) == app.writable


@pytest.mark.parametrize("to", [DOCUMENTED, KEYLESS], ids=["key", "keyless"])
@pytest.mark.parametrize("app", [app for app in APPS.values() if app.files], ids=attrgetter("name"))
def test_a_fresh_file_says_what_is_wanted(app, to):
    """What is printed for an empty file is well formed, and a gateway without keys needs no variable."""
    for file in app.files:
        assert read(fresh(file, to), file.format) == file.values(to)
        assert to.needs_key or "ADUANA_KEY" not in fresh(file, to)


def test_every_sentence_is_there_in_spanish():
    """What is said in English is said in Spanish, with the same values in it, and nothing else is translated."""
    in_data: set[str] = {note for app in APPS.values() for note in app.notes}
    assert_translated(Path(spanish.__file__).parent, spanish.SPANISH, in_data)
