"""What options of `aduana keys` say: times ahead, budgets, names, and all that a key may do. Pure."""

import argparse
import re
from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec

from gateway.accounts.keys import StoredKey
from gateway.accounts.names import checked_name
from gateway.core.errors import BadRequest
from gateway.core.limits import Limits
from gateway.settings.section import NAME_PATTERN

NONE = "none"  # takes away what a key has
_SPAN = re.compile(r"([0-9]{1,5})\s*([hdw])")
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_BUDGET = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*/\s*(day|month)")
_COUNTS = {
    "rpm": "requests_per_minute",
    "tpm": "tokens_per_minute",
    "tpd": "tokens_per_day",
    "parallel": "parallel",
}


def changed(key: StoredKey, args: argparse.Namespace, now: float, zone: tzinfo | None) -> StoredKey:
    """Return a key with everything that options say of it; what they don't mention stays.

    Raises:
        BadRequest: An option can't be read.
    """
    fields: dict[str, object] = {}
    if args.user is not None:
        fields["user"] = None if args.user == NONE else user(args.user)
    if args.tags is not None:
        fields["tags"] = frozenset() if args.tags == NONE else names(args.tags, "--tags")
    if args.models is not None:
        fields["models"] = None if args.models == NONE else frozenset(parts(args.models, "--models"))
    if args.expires is not None:
        fields["expires_at"] = None if args.expires == NONE else ending(args.expires, now, zone)
    for name in ("admin", "metrics", "front_end"):
        if getattr(args, name) is not None:
            fields[name] = getattr(args, name)
    counts = {name: getattr(args, name) for name in _COUNTS}
    fields["limits"] = limits(key.limits, args.budget, counts)
    after = msgspec.structs.replace(key, **fields)
    if after.front_end and after.admin:
        raise BadRequest("--front-end does not go with --admin: whoever signs in there would administer.")
    return after


def span(text: str, option: str) -> float:
    """Return the seconds of `90d`, `12h`, `4w` or `0`.

    Raises:
        BadRequest: The text is no such time.
    """
    if text.strip() == "0":
        return 0.0
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise BadRequest(f"{option} {text!r} is not a time. Write 24h, 7d, 2w or 0.")
    return float(int(match[1]) * _SECONDS[match[2]])


def ending(text: str, now: float, zone: tzinfo | None) -> float:
    """Return the Unix time at which a key ends.

    Raises:
        BadRequest: The text is no time to come.
    """
    if match := _SPAN.fullmatch(text.strip()):
        end = now + int(match[1]) * _SECONDS[match[2]]
    else:
        try:
            end = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=zone).timestamp()
        except (ValueError, OverflowError) as error:
            raise BadRequest(
                f"--expires {text!r} is not a time. Write 90d, 12h, 4w or a day like 2027-01-31."
            ) from error
    if end <= now:
        raise BadRequest(f"--expires {text!r} is past.")
    return end


def limits(before: Limits, budgets: Sequence[str], counts: dict[str, str | None]) -> Limits:
    """Return limits as options change them. `counts`: the text of each of `rpm`, `tpm`, `tpd`, `parallel`.

    Raises:
        BadRequest: A budget can't be read or stands twice, or a number is below 1.
    """
    fields: dict[str, float | None] = {}
    for option, text in counts.items():
        if text is not None:
            fields[_COUNTS[option]] = _count(text, f"--{option}")
    if NONE in budgets:
        fields |= {"usd_day": None, "usd_month": None}
    said: set[str] = set()
    for text in budgets:
        if text == NONE:
            continue
        match = _BUDGET.fullmatch(text.strip())
        if match is None or match[2] in said:
            raise BadRequest(f"--budget {text!r} is no budget. Write 5/month or 0.50/day, each at most once.")
        said.add(match[2])
        fields[f"usd_{match[2]}"] = float(match[1])
    return msgspec.structs.replace(before, **fields)


def name(text: str, option: str) -> str:
    """Return a name as it is.

    Raises:
        BadRequest: It is none.
    """
    if re.fullmatch(NAME_PATTERN.strip("^$"), text) is None:
        raise BadRequest(
            f"{option} {text!r} is no name: up to 64 lower-case letters, digits, '.', '_' and '-', as in 'n8n'."
        )
    return text


def names(text: str, option: str) -> frozenset[str]:
    """Return the names of a list with commas.

    Raises:
        BadRequest: One is none.
    """
    return frozenset(name(part, option) for part in parts(text, option))


def parts(text: str, option: str) -> list[str]:
    """Return what stands between the commas of a list.

    Raises:
        BadRequest: Nothing does. It may be a variable that is not set, which must not take away a key's tags.
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise BadRequest(f"{option} is empty. Write what shall stand there, or '{NONE}' to take away what the key has.")
    return found


def user(text: str) -> str:
    """Return a user's name without blanks around it, as tokens and front ends name the same person.

    Raises:
        BadRequest: It is none.
    """
    found = checked_name(text)
    if found is None:
        raise BadRequest(f"--user {text!r} is no name. Write one, or '{NONE}' to take away the one that the key has.")
    return found


def _count(text: str, option: str) -> int | None:
    if text == NONE:
        return None
    if re.fullmatch(r"[0-9]{1,15}", text) is None or int(text) < 1:
        raise BadRequest(f"{option} {text!r} is not a number from 1 on.")
    return int(text)
