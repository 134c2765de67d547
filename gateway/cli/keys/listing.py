"""`aduana keys list`: all keys, what each may do, and when it was last used."""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import tzinfo

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.accounts.keys import StoredKey
from gateway.app.keys.stored_keys import database_for
from gateway.app.room_settings import limit_table
from gateway.cli.keys.telling import as_json, day, limit_words, state
from gateway.cli.terminal import show_table
from gateway.core.limits import Limits
from gateway.core.request import Caller
from gateway.ledger import Reader
from gateway.ledger.ledger import zone_of
from gateway.settings import Settings, load_settings


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One key in the list, wherever it stands."""

    name: str
    state: str
    source: str  # ledger, or aduana.yaml
    user: str | None
    tags: tuple[str, ...]
    models: tuple[str, ...] | None
    rights: tuple[str, ...]
    limits: Limits
    expires_at: float | None
    last_used_at: float | None
    old_ends_at: float | None  # until when a secret that was replaced counts


def run(args: argparse.Namespace) -> int:
    """Print the keys, and return 0.

    Raises:
        LedgerUnavailable: The ledger can't be read.
    """
    settings = load_settings(args.config)
    now = time.time()
    stored, used = _read(settings)
    if args.json:
        keys = [{**as_json(key, now), "last_used_at": used.get(key.name)} for key in stored]
        configured = [
            {"name": row.name, "state": row.state, "last_used_at": row.last_used_at}
            for row in _configured(settings, used)
        ]
        print(msgspec.json.encode({"keys": keys, "configured": configured}).decode())
        return 0
    rows = [*_configured(settings, used), *(_row(key, used, now) for key in stored)]
    shown = [row for row in rows if args.all or row.state == "active"]
    console = Console(file=sys.stdout, highlight=False)
    if shown:
        zone = zone_of(settings.timezone)
        show_table(console, _table(shown, zone, whole=True), _table(shown, zone, whole=False))
    else:
        console.print("There are no keys. Make one: aduana keys create --app NAME", soft_wrap=True)
    if len(shown) < len(rows):
        console.print(f"{len(rows) - len(shown)} revoked or expired: --all shows them", soft_wrap=True)
    return 0


def _read(settings: Settings) -> tuple[tuple[StoredKey, ...], Mapping[str, float]]:
    """Return the keys of the ledger, and when each was last used; nothing where no gateway has run yet.

    Raises:
        LedgerUnavailable: There is a ledger, and it can't be read.
    """
    if not settings.state_dir.exists():
        return (), {}
    with Reader(database_for(settings)) as reader:
        return reader.stored_keys(), reader.last_requests()


def _configured(settings: Settings, used: Mapping[str, float]) -> list[Row]:
    table = limit_table(settings)
    return [
        Row(
            name=name,
            state="active",
            source="aduana.yaml",
            user=key.user,
            tags=tuple(sorted(key.tags)),
            models=None if key.models is None else tuple(sorted(key.models)),
            rights=_rights(key.admin, key.metrics, key.front_end),
            limits=table.key(Caller(key=name)).limits,
            expires_at=None,
            last_used_at=used.get(name),
            old_ends_at=None,
        )
        for name, key in settings.keys.items()
    ]


def _row(key: StoredKey, used: Mapping[str, float], now: float) -> Row:
    return Row(
        name=key.name,
        state=state(key, now),
        source="ledger",
        user=key.user,
        tags=tuple(sorted(key.tags)),
        models=None if key.models is None else tuple(sorted(key.models)),
        rights=_rights(key.admin, key.metrics, key.front_end),
        limits=key.limits,
        expires_at=key.expires_at,
        last_used_at=used.get(key.name),
        old_ends_at=max(
            (one.ends_at for one in key.secrets if one.ends_at is not None and one.ends_at > now), default=None
        ),
    )


def _rights(admin: bool, metrics: bool, front_end: bool) -> tuple[str, ...]:
    return tuple(word for word, has in (("admin", admin), ("metrics", metrics), ("front end", front_end)) if has)


def _table(rows: Sequence[Row], zone: tzinfo | None, *, whole: bool) -> Table:
    heads = ["Key", "User", "Tags", "May", "Limits", "Until", "Last used"]
    if not whole:
        heads = ["Key", "May", "Limits", "Until", "Last used"]
    table = Table(*heads, title_justify="left")
    for row in rows:
        cells = {
            "Key": row.name if row.state == "active" else f"{row.name} ({row.state})",
            "User": row.user or "-",
            "Tags": ", ".join(row.tags) or "-",
            "May": ", ".join([*row.rights, *(("all models",) if row.models is None else row.models)]),
            "Limits": ", ".join(limit_words(row.limits)) or "-",
            "Until": _until(row, zone),
            "Last used": day(row.last_used_at, zone),
        }
        table.add_row(*(Text(cells[head]) for head in heads))
    return table


def _until(row: Row, zone: tzinfo | None) -> str:
    end = day(row.expires_at, zone)
    return end if row.old_ends_at is None else f"{end}; old secret: {day(row.old_ends_at, zone)}"
