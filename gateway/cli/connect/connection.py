"""The connection that an app gets: from the gateway's configuration, or from what the person says."""

import contextlib
import re
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from gateway.accounts.keys import StoredKey
from gateway.cli.connect.app import Connection
from gateway.core.errors import BadRequest, ConfigurationError
from gateway.core.request import Endpoint
from gateway.core.target import Catalog
from gateway.core.translation import Translator
from gateway.settings import Settings, read_secret
from gateway.settings.server import ApiKey

_WINDOW = 32768  # where nobody knows better
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the person says about the connection, instead of the configuration."""

    url: str | None = None
    key_env: str | None = None
    key: str | None = None
    """Name of one of the `keys`."""
    model: str | None = None
    window: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A connection, and what the person should know about it."""

    connection: Connection
    notes: tuple[str, ...] = ()
    window_note: str = ""
    """For apps that are told the model's window."""
    missing_key: str = ""
    """Why the key can't be known here; empty: it is known, or none is wanted."""


def from_wishes(wishes: Wishes, environ: Mapping[str, str], say: Translator) -> Found:
    """Return the connection to a gateway whose configuration is not here.

    Raises:
        BadRequest: The address is none.
    """
    name = _variable(wishes.key_env, say) or "ADUANA_KEY"
    key = environ.get(name, "").strip() or None
    notes, missing = [], ""
    if key is None and wishes.key_env:
        missing = say("The variable {name} is not set in this shell.", name=name)
    elif key is None:
        notes.append(say("No key: if the gateway wants one, name the variable that holds it with --key-env."))
    connection = Connection(
        url=_plain(wishes.url or "", say),
        key=key,
        needs_key=key is not None or wishes.key_env is not None,
        key_env=name,
        model=wishes.model or "auto",
        window=wishes.window or _WINDOW,
    )
    return Found(
        connection=connection,
        notes=tuple(notes),
        window_note="" if wishes.window else _window_note(say),
        missing_key=missing,
    )


def from_settings(settings: Settings, app: str, wishes: Wishes, environ: Mapping[str, str], say: Translator) -> Found:
    """Return the connection of an app to the configured gateway.

    Raises:
        BadRequest: A name that the person says is not there, or several keys could be meant.
    """
    keys = _keys(settings)
    chosen = _chosen_key(keys, app, wishes.key, say)
    model = _model(settings, keys[chosen].models if chosen else None, wishes.model, say)
    window = wishes.window or _window(settings.catalog(), model)
    notes = []
    key, name, missing = _secret(keys[chosen], chosen, wishes, environ, say) if chosen else (None, None, "")
    if chosen and keys[chosen].admin:
        notes.append(say("The key {name} is an administrator's: better give the app one of its own.", name=chosen))
    connection = Connection(
        url=_address(settings, say),
        key=key,
        needs_key=chosen is not None,
        key_env=name or "ADUANA_KEY",
        model=model,
        window=window or _WINDOW,
    )
    return Found(
        connection=connection,
        notes=tuple(notes),
        window_note="" if window else _window_note(say),
        missing_key=missing,
    )


def _keys(settings: Settings) -> Mapping[str, ApiKey | StoredKey]:
    """Return the keys that count: those of the configuration, then those that commands made."""
    from gateway.app.keys.stored_keys import stored_keys

    stored = {key.name: key for key in stored_keys(settings) if key.counts_at(time.time())}
    return {**settings.keys, **{name: key for name, key in stored.items() if name not in settings.keys}}


def _window_note(say: Translator) -> str:
    return say(
        "The model's window is not written down: {window} tokens are assumed. --window says another.", window=_WINDOW
    )


def _plain(url: str, say: Translator) -> str:
    """Return an address without its slash and without `/v1`.

    Raises:
        BadRequest: It is no address.
    """
    plain = url.rstrip("/").removesuffix("/v1").rstrip("/")
    try:
        parts = urlsplit(plain)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username:
        raise BadRequest(say("{url} is not an address. Write http://127.0.0.1:8484.", url=repr(url)))
    return plain


def _variable(name: str | None, say: Translator) -> str | None:
    """Return the name of a variable as it is.

    Raises:
        BadRequest: It is none, but perhaps a key.
    """
    if name is not None and not _VARIABLE.match(name):
        raise BadRequest(say("--key-env wants the name of a variable, as ADUANA_KEY, not the key itself."))
    return name


def _address(settings: Settings, say: Translator) -> str:
    """Return where the configured gateway is asked from this machine.

    Raises:
        BadRequest: Its port is another one at each start.
    """
    server = settings.server
    if server.port == 0:
        raise BadRequest(say("server.port is 0, so the port is another one at each start: say the address with --url."))
    return server.url


def _chosen_key(keys: Mapping[str, ApiKey | StoredKey], app: str, wanted: str | None, say: Translator) -> str | None:
    """Return the name of the key that an app gets: the one that is named, its namesake, or the only one.

    Raises:
        BadRequest: There is no such key, or several could be meant.
    """
    if wanted is not None:
        if wanted not in keys:
            there = ", ".join(keys) or "-"
            raise BadRequest(say("There is no key {name}. There are: {names}.", name=repr(wanted), names=there))
        return wanted
    if not keys:
        return None
    if app in keys:
        return app
    usual = [name for name, key in keys.items() if not key.admin and not key.metrics] or list(keys)
    if len(usual) == 1:
        return usual[0]
    raise BadRequest(
        say(
            "Which key does {app} get? Say it with --key: {names}. A key of its own, named {app}, is found without "
            "asking; policies and the ledger then tell apps apart.",
            app=app,
            names=", ".join(usual),
        )
    )


def _secret(
    key: ApiKey | StoredKey, name: str, wishes: Wishes, environ: Mapping[str, str], say: Translator
) -> tuple[str | None, str | None, str]:
    """Return a key's secret, the variable that holds it, and why it can't be had."""
    wanted = _variable(wishes.key_env, say)
    if wanted is not None:
        value = environ.get(wanted, "").strip() or None
        return value, wanted, "" if value else say("The variable {name} is not set in this shell.", name=wanted)
    reference = "aduana keys" if isinstance(key, StoredKey) else key.secret
    kind, _, place = reference.partition(":")
    variable = place if kind == "env" else None
    if not isinstance(key, StoredKey):
        with contextlib.suppress(ConfigurationError):
            return read_secret(reference), variable, ""
    told = say(
        "The key {name} can't be read here ({place}), and the gateway itself keeps nothing of it but a digest.",
        name=name,
        place=reference,
    )
    return None, variable, told


def _model(settings: Settings, permitted: frozenset[str] | None, wanted: str | None, say: Translator) -> str:
    """Return the model that an app asks for.

    Raises:
        BadRequest: The gateway would not answer under that name.
    """
    names = [name for name in settings.aliases() if permitted is None or name in permitted]
    if wanted is not None:
        if wanted not in names and (settings.unknown_model is None or permitted is not None):
            told = say(
                "No model {name} can be asked for here. There are: {names}.", name=wanted, names=", ".join(names)
            )
            raise BadRequest(told)
        return wanted
    if not names:
        raise BadRequest(say("This key may ask for no model that there is: see its 'models' in aduana.yaml."))
    return "auto" if "auto" in names else names[0]


def chosen_window(settings: Settings, model: str) -> int | None:
    """Return the window that a model would get on this machine now, where the configuration leaves that open.

    What runs already has memory of its own, so a running gateway knows better.
    """
    from gateway.app.models.plan import catalog_of

    return _window(catalog_of(settings), model)


def _window(catalog: Catalog, model: str) -> int | None:
    """Return the window that clients can count on under a model's name; None: not all of it is written down."""
    alias = catalog.resolve(model)
    if alias is None:
        return None
    traits = catalog.traits(alias.name)
    open_ones = [name for name in traits.targets if catalog.targets[name].context is None]
    chats = [name for name in open_ones if Endpoint.CHAT in catalog.targets[name].endpoints]
    return None if chats else traits.context
