"""`aduana connect APP`: what to set in an app, written into its file, tried, or started with it.

Apps are data (`apps/`); `documents/` changes settings files, `settings_files.py` writes them and takes that back.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.connect.actions import check_connection, notes_about, start_app, undo_settings, write_settings
from gateway.cli.connect.app import App, Connection
from gateway.cli.connect.apps import APPS
from gateway.cli.connect.asking import asked_window
from gateway.cli.connect.connection import Found, Wishes, chosen_window, from_settings, from_wishes
from gateway.cli.connect.spanish import SPANISH
from gateway.cli.connect.telling import parts, tell_apps, tell_settings
from gateway.core.errors import BadRequest
from gateway.core.translation import Translator, language_from_locale
from gateway.settings import Settings, default_file, load_settings


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "connect",
        help="what to set in an app; write it, try it, start the app with it",
        description="Prints what to set in an app so that it uses this gateway. Without APP: the apps that are known. "
        "Behind '--', the app's own command: it is started with everything set, and no file is written.",
        epilog="Exit status: 0 done, 1 it does not work or would replace a value of yours, 2 it could not be done.",
        usage="aduana connect [options] [APP] [-- COMMAND …]",
    )
    parser.add_argument("app", nargs="?", metavar="APP", help="name of the app, as 'aduana connect' lists it")
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--write", action="store_true", help="write the app's settings file, with a backup beside it")
    actions.add_argument("--undo", action="store_true", help="take back what --write wrote")
    actions.add_argument("--check", action="store_true", help="ask the gateway in the app's way; costs a few tokens")
    parser.add_argument("--replace", action="store_true", help="with --write: also replace values that are not ours")
    parser.add_argument("--file", type=Path, metavar="FILE", help="the app's settings file, where it is another one")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument("--url", help="the gateway's address, as the app sees it (default: as configured)")
    parser.add_argument("--key", metavar="NAME", help="which of the configured 'keys' the app gets, by its name")
    parser.add_argument("--key-env", metavar="NAME", help="environment variable that holds the app's key")
    parser.add_argument("--model", metavar="NAME", help="model that the app asks for (default: auto)")
    parser.add_argument("--window", type=int, metavar="TOKENS", help="the model's window (default: as configured)")
    parser.add_argument("--json", action="store_true", help="print the settings as JSON")


def run(args: argparse.Namespace) -> int:
    """Carry out what is asked for and return 0, or 1 where the answer is no.

    Raises:
        BadRequest: No such app, or it can't do this.
        ConfigurationError: A file can't be used.
    """
    say = Translator(SPANISH, language_from_locale(os.environ))
    if args.app is None:
        return _list(args, say)
    app = _named(args.app, say)
    places = _places(app, args.file, say)
    if args.undo:
        return undo_settings(app, places, say)
    found = _found(app, args, say)
    to = found.connection
    if args.behind is not None:
        return start_app(app, found, list(args.behind), places, say)
    if args.check:
        return check_connection(app, found, places, say)
    seen = to.from_container() if app.container else to
    if args.write:
        return write_settings(app, found, seen, places, args.replace, say)
    if args.json:
        print(json.dumps(_report(app, seen, places, say), indent=2, ensure_ascii=False))
        return 0
    tell_settings(app, seen, places, [*notes_about(app, found), *_reachable(app, found, say)], say)
    return 0


def _named(name: str, say: Translator) -> App:
    import difflib

    if name in APPS:
        return APPS[name]
    near = difflib.get_close_matches(name.lower(), APPS, n=3, cutoff=0.4)
    meant = " " + say("Did you mean {names}?", names=", ".join(near)) if near else ""
    told = say("The app {name} is not known here. 'aduana connect' lists those that are.", name=repr(name))
    raise BadRequest(told + meant)


def _list(args: argparse.Namespace, say: Translator) -> int:
    """List the apps.

    Raises:
        BadRequest: Something is to be done, and no app is named.
    """
    if args.write or args.undo or args.check or args.behind is not None:
        raise BadRequest(say("Which app? 'aduana connect' lists them."))
    if args.json:
        print(json.dumps([{"name": app.name, "title": app.title, "dialect": app.dialect} for app in APPS.values()]))
    else:
        tell_apps(APPS, say)
    return 0


def _places(app: App, chosen: Path | None, say: Translator) -> list[Path | None]:
    """Return where each of the app's files lies; a file that the person names is the first one.

    Raises:
        BadRequest: The app has no file.
    """
    if chosen is not None and not app.files:
        raise BadRequest(say("{app} has no settings file that could be written.", app=app.title))
    usual = [file.place.path(os.environ) if file.place else None for file in app.files]
    return [chosen, *usual[1:]] if chosen is not None else usual


def _found(app: App, args: argparse.Namespace, say: Translator) -> Found:
    """Return the app's connection, from the configuration or what the person says.

    Raises:
        BadRequest: What the person says can't be.
    """
    if args.window is not None and args.window < 1:
        raise BadRequest(say("--window wants a number of tokens."))
    wishes = Wishes(url=args.url, key_env=args.key_env, key=args.key, model=args.model, window=args.window)
    if args.url is None or args.config is not None or args.key is not None:
        settings = load_settings(args.config)
        found = from_settings(settings, app.name, wishes, os.environ, say)
        if args.config is None and default_file() is None:
            note = say("There is no aduana.yaml here: these are defaults. --config names one, --url another gateway.")
            found = msgspec.structs.replace(found, notes=(note, *found.notes))
        return _with_window(found, settings) if app.tells_window and found.window_note else found
    return from_wishes(wishes, os.environ, say)


def _with_window(found: Found, settings: Settings) -> Found:
    """Return the connection with the window that a running gateway tells, else with what would be chosen here."""
    window = asked_window(found.connection) or chosen_window(settings, found.connection.model)
    if window is None:
        return found
    connection = msgspec.structs.replace(found.connection, window=window)
    return msgspec.structs.replace(found, connection=connection, window_note="")


def _reachable(app: App, found: Found, say: Translator) -> list[str]:
    """Say what an app needs that does not run on this machine."""
    if not ((app.container or app.elsewhere) and found.connection.on_loopback):
        return []
    return [
        say(
            "From another machine or a container, 127.0.0.1 is that machine itself: let the gateway listen on your "
            "network (server: host, keys, allowed_hosts), and say its address with --url. docs/apps/README.md tells "
            "how."
        )
    ]


def _report(app: App, to: Connection, places: list[Path | None], say: Translator) -> dict[str, Any]:
    return {
        "app": app.name,
        "url": to.url,
        "model": to.model,
        "parts": [
            {"where": part.where, "format": part.format, "text": part.text} for part in parts(app, to, places, say)
        ],
        "fields": {field.label: field.filled(to) for field in app.fields},
        "variables": {} if app.variables is None else dict(app.variables(to)),
    }
