"""`aduana keys change`: what a key may do, under the secret that it has."""

import argparse
import time

from gateway.app.keys.stored_keys import database_for, stored_keys
from gateway.cli.keys import asked
from gateway.cli.keys.telling import check_models, chosen, limit_words, tell, told_of_gateway, told_of_tags
from gateway.core.errors import BadRequest
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing
from gateway.ledger.ledger import zone_of
from gateway.settings import load_settings


def run(args: argparse.Namespace) -> int:
    """Change the key, and return 0.

    Raises:
        BadRequest: There is no such key, an option can't be read, or nothing is to be changed.
        LedgerUnavailable: The ledger can't be written.
    """
    settings = load_settings(args.config)
    now = time.time()
    chosen(args.name, stored_keys(settings), settings)
    with changing(database_for(settings)) as connection:
        before = chosen(args.name, table.everything(connection), settings)
        key = asked.changed(before, args, now, zone_of(settings.timezone))
        if key == before:
            raise BadRequest(f"Nothing to change: {key.name} is so already. 'aduana keys change --help' lists options.")
        check_models(key, settings)
        table.change(connection, key)
    limits = ", ".join(limit_words(key.limits)) or "no limits of its own"
    tell(f"The key {key.name} is changed, and has {limits}. 'aduana keys list' shows all of it.")
    tell(told_of_gateway(settings.state_dir))
    tell(told_of_tags(key, settings))
    return 0
