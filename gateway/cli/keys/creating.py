"""`aduana keys create`: a new key, whose secret is printed this once."""

import argparse
import time

import msgspec

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.accounts.secrets import new_secret
from gateway.app.keys.stored_keys import database_for, names_elsewhere, secret_digest
from gateway.cli.keys import asked
from gateway.cli.keys.telling import as_json, check_models, tell, told_of_gateway, told_of_tags
from gateway.core.errors import BadRequest
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing
from gateway.ledger.ledger import zone_of
from gateway.settings import Settings, load_settings

_OWN_MACHINE = ("127.0.0.1", "localhost", "::1")


def run(args: argparse.Namespace) -> int:
    """Make the key, print its secret, and return 0.

    Raises:
        BadRequest: An option can't be read, or the name is taken.
        LedgerUnavailable: The ledger can't be written.
    """
    settings = load_settings(args.config)
    now = time.time()
    key = _asked(args, settings, now)
    secret = new_secret()
    digest = secret_digest(settings).of(secret)
    key = msgspec.structs.replace(key, secrets=(KeySecret(digest=digest, created_at=now),))
    with changing(database_for(settings)) as connection:
        first = not table.everything(connection)
        table.add(connection, key)
    if args.json:
        print(msgspec.json.encode({"secret": secret, **as_json(key, now)}).decode())
    else:
        print(secret, flush=True)
    tell(f"The key {key.name} is made. This is the only time that its secret is shown: the gateway keeps a digest.")
    tell(told_of_gateway(settings.state_dir))
    tell(told_of_tags(key, settings))
    for sentence in _opened(settings, first):
        tell(sentence)
    return 0


def _asked(args: argparse.Namespace, settings: Settings, now: float) -> StoredKey:
    """Return the key that the options describe.

    Raises:
        BadRequest: One can't be read, or the name is taken.
    """
    name = asked.name(args.app, "--app")
    if name in names_elsewhere(settings) or name == "anonymous":
        taken = "stands for requests without a key" if name == "anonymous" else "is a name in aduana.yaml already"
        raise BadRequest(f"--app: {name} {taken}. Choose another name.")
    key = asked.changed(StoredKey(name=name, created_at=now), args, now, zone_of(settings.timezone))
    check_models(key, settings)
    return key


def _opened(settings: Settings, first: bool) -> list[str]:
    """Return what the first key of a gateway changes for everybody else."""
    server = settings.server
    if server.anonymous:
        return ["Requests without a key are still answered, because server.anonymous is true."]
    if first and not names_elsewhere(settings) and server.anonymous is None and server.host in _OWN_MACHINE:
        return [
            "It is the first key of this gateway: from now on every request needs one, where so far whoever reached it "
            "on this machine needed none. Apps without a key are told so (401). To go on answering them, set "
            "server.anonymous: true; administration then needs a key made with --admin."
        ]
    return []
