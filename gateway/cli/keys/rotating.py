"""`aduana keys rotate`: a new secret for a key; the old one counts for a while longer."""

import argparse
import time
from datetime import datetime

import msgspec

from gateway.accounts.keys import KeySecret
from gateway.accounts.secrets import new_secret
from gateway.app.keys.stored_keys import database_for, secret_digest, stored_keys
from gateway.cli.keys import asked
from gateway.cli.keys.telling import chosen, tell, told_of_gateway
from gateway.core.errors import BadRequest
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing
from gateway.ledger.ledger import zone_of
from gateway.settings import load_settings


def run(args: argparse.Namespace) -> int:
    """Give the key a new secret, print it, and return 0.

    Raises:
        BadRequest: There is no such key, it has expired, or a time can't be read.
        LedgerUnavailable: The ledger can't be written.
    """
    settings = load_settings(args.config)
    zone, now = zone_of(settings.timezone), time.time()
    old_until = now + asked.span(args.overlap, "--overlap")
    expires = None if args.expires is None else asked.ending(args.expires, now, zone)
    chosen(args.name, stored_keys(settings), settings)
    secret = new_secret()
    digest = secret_digest(settings).of(secret)
    with changing(database_for(settings)) as connection:
        key = chosen(args.name, table.everything(connection), settings)
        if not key.counts_at(now):
            if expires is None:
                raise BadRequest(f"The key {key.name!r} has expired. Say with --expires how long it is to count again.")
            old_until = now  # INVARIANT: a secret that has expired does not count again beside the new one
        table.rotate(connection, key.name, KeySecret(digest=digest, created_at=now), old_until)
        if expires is not None:
            table.change(connection, msgspec.structs.replace(key, expires_at=expires))
    if args.json:
        print(msgspec.json.encode({"secret": secret, "name": key.name, "old_ends_at": old_until}).decode())
    else:
        print(secret, flush=True)
    tell(f"This is the only time that the new secret of {key.name} is shown.")
    if old_until > now:
        tell(f"Both count until {datetime.fromtimestamp(old_until, zone):%Y-%m-%d %H:%M}, then the new one alone.")
    else:
        tell("The old one ends now. Answers under way go on; 'aduana keys revoke' would end them too.")
    tell(told_of_gateway(settings.state_dir))
    return 0
