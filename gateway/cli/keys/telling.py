"""What the actions of `aduana keys` have in common: sentences beside a result, a key for programs, its state."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec

from gateway.accounts.keys import StoredKey
from gateway.app.models.plan import catalog_of
from gateway.cli.lines import print_line
from gateway.cli.policies import load_with
from gateway.core.errors import AduanaError, BadRequest
from gateway.core.limits import Limits
from gateway.ledger import lock_holder
from gateway.policy.proof.static_checks import strange_tags
from gateway.settings import Settings


def tell(sentence: str) -> None:
    """Print a sentence for a person, beside what a program takes from standard output."""
    if sentence:
        print_line(sentence, to_errors=True)


def told_of_gateway(state_dir: Path) -> str:
    """Return when a change counts."""
    if lock_holder(state_dir) is None:
        return f"No gateway runs with the state directory {state_dir}: it counts from the next start on."
    return "The running gateway takes it over within a second."


def chosen(name: str, stored: tuple[StoredKey, ...], settings: Settings) -> StoredKey:
    """Return the stored key of a name.

    Raises:
        BadRequest: There is none, it stands in the configuration, or it was revoked.
    """
    key = next((key for key in stored if key.name == name), None)
    if key is None and name in settings.keys:
        raise BadRequest(
            f"The key {name!r} stands in aduana.yaml, with its secret in {settings.keys[name].secret!r}: change it "
            "there. A file that is written anew counts within seconds."
        )
    if key is None:
        there = ", ".join(key.name for key in stored if key.revoked_at is None) or "none"
        raise BadRequest(f"There is no key {name!r}. There are: {there}.")
    if key.revoked_at is not None:
        raise BadRequest(f"The key {name!r} is revoked already. Make a new one, of another name: 'aduana keys create'.")
    return key


def check_models(key: StoredKey, settings: Settings) -> None:
    """Look whether there are the models that a key may ask for.

    Raises:
        BadRequest: One can't be asked for under any name.
    """
    unknown = sorted((key.models or frozenset()) - settings.aliases().keys())
    if unknown and settings.unknown_model is None:
        raise BadRequest(f"--models: the gateway has no model {unknown[0]!r}. It has: {', '.join(settings.aliases())}.")


def told_of_tags(key: StoredKey, settings: Settings) -> str:
    """Return which tags of a key change nothing, because the policy does not know them. Empty: none, or no policy."""
    if not key.tags:
        return ""
    try:
        policy = load_with(settings, catalog_of(settings), ())
    except AduanaError:
        return ""  # 'aduana check' says what is wrong with it
    found = strange_tags(policy.document, key.tags)
    names, hints = ", ".join(repr(tag) for tag, _ in found), "".join(hint for _, hint in found)
    return f"Careful: the policy does not know the tag {names}: it changes nothing.{hints}" if found else ""


def state(key: StoredKey, now: float) -> str:
    """Return whether a key counts: `active`, `expired` or `revoked`."""
    if key.revoked_at is not None:
        return "revoked"
    return "active" if key.counts_at(now) else "expired"


def day(at: float | None, zone: tzinfo | None) -> str:
    """Return a moment as a day; a dash for none."""
    return "-" if at is None else f"{datetime.fromtimestamp(at, zone):%Y-%m-%d}"


def limit_words(limits: Limits) -> list[str]:
    """Return limits in the words of the options that set them."""
    money = ((limits.usd_day, "day"), (limits.usd_month, "month"))
    counts = (
        (limits.requests_per_minute, "rpm"),
        (limits.tokens_per_minute, "tpm"),
        (limits.tokens_per_day, "tpd"),
        (limits.parallel, "parallel"),
    )
    found = [f"${amount:g}/{period}" for amount, period in money if amount is not None]
    return [*found, *(f"{count} {word}" for count, word in counts if count is not None)]


def as_json(key: StoredKey, now: float) -> Mapping[str, Any]:
    """Return a key for programs, without its digests. Times are Unix seconds."""
    return {
        "name": key.name,
        "state": state(key, now),
        "user": key.user,
        "tags": sorted(key.tags),
        "models": None if key.models is None else sorted(key.models),
        "admin": key.admin,
        "metrics": key.metrics,
        "front_end": key.front_end,
        "limits": {name: value for name, value in msgspec.structs.asdict(key.limits).items() if value is not None},
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "secrets": [{"created_at": one.created_at, "ends_at": one.ends_at} for one in key.secrets],
    }
