"""`aduana keys revoke`: the end of a key, for good."""

import argparse
import time

from gateway.app.keys.stored_keys import database_for, stored_keys
from gateway.cli.keys.telling import chosen, tell, told_of_gateway
from gateway.ledger.keys import table
from gateway.ledger.keys.beside import changing
from gateway.settings import load_settings


def run(args: argparse.Namespace) -> int:
    """End the key, and return 0.

    Raises:
        BadRequest: There is no such key.
        LedgerUnavailable: The ledger can't be written.
    """
    settings = load_settings(args.config)
    now = time.time()
    chosen(args.name, stored_keys(settings), settings)
    with changing(database_for(settings)) as connection:
        key = chosen(args.name, table.everything(connection), settings)
        table.revoke(connection, key.name, now)
        left = [one for one in table.everything(connection) if one.counts_at(now)]
    tell(f"The key {key.name} is revoked: its requests are refused, and its answers under way end with an error.")
    tell(told_of_gateway(settings.state_dir))
    if not left and not settings.keys and not settings.server.anonymous:
        tell(
            "It was the last key that counted, and requests still need one. Make a new one ('aduana keys create'), or "
            "set server.anonymous: true to answer without."
        )
    return 0
