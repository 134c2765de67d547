"""Options that several commands share: how far back, and the API key that a running gateway is shown."""

import argparse
import os
import re
from datetime import datetime, tzinfo

from gateway.core.errors import BadRequest

_PERIOD = re.compile(r"([0-9]{1,5})\s*([hdw])")
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}


def add_since_option(parser: argparse.ArgumentParser) -> None:
    """Declare `--since`, which `moment` reads."""
    parser.add_argument(
        "--since",
        default="30d",
        metavar="WHEN",
        help="how far back: 30d, 12h, 2w, or a day like 2026-11-01 (default: 30d)",
    )


def moment(text: str, now: float, zone: tzinfo | None) -> float:
    """Return the Unix time of `30d`, `12h` or `2w` before now, or of the beginning of a day.

    Raises:
        BadRequest: The text is no such time.
    """
    match = _PERIOD.fullmatch(text.strip())
    if match:
        return now - int(match[1]) * _SECONDS[match[2]]
    try:
        return min(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone).timestamp(), now)
    except (ValueError, OverflowError) as error:  # a day of the year 1 has no Unix time in some zones
        raise BadRequest(f"--since {text!r} is not a time. Write 30d, 12h, 2w or a day like 2026-11-01.") from error


def add_key_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare `--key-env`, and `--key`, whose key stands in the shell's history and in the list of processes."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--key-env", metavar="NAME", help=f"environment variable that holds {what}")
    one.add_argument("--key", default="", help=f"{what} itself; others on this machine can see it while this runs")


def key_of(args: argparse.Namespace) -> str:
    """Return the key that these options say; empty: none.

    Raises:
        BadRequest: The variable that they name has none.
    """
    if args.key_env is None:
        return str(args.key)
    key = os.environ.get(args.key_env, "").strip()
    if not key:
        raise BadRequest(f"The environment variable {args.key_env} (--key-env) is not set, or is empty.")
    return key
