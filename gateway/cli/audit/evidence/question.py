"""From the command's options to an answer: which ledger, which key, which checkpoints, which period."""

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.app.checkpoints.key import KEY_FILE, load_signer
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.audit.evidence.ledgers import opened
from gateway.cli.audit.evidence.period import span
from gateway.core.errors import BadRequest, LedgerUnavailable
from gateway.core.labels import Label
from gateway.ledger import Database, chain
from gateway.ledger.chain.checkpoints import ReadCheckpoints
from gateway.ledger.chain.signing import fingerprint, read_checkpoints, read_public_key
from gateway.ledger.ledger import zone_of
from gateway.settings import Settings, load_settings


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is asked, with its defaults filled in."""

    ledger: Path
    database: Database | None  # None: the ledger is a file
    settings: Settings | None  # None: a ledger was named, and no configuration is needed
    zone: tzinfo | None
    zone_name: str
    since: float | None
    until: float | None
    subjects: chain.Subjects
    keys: tuple[Ed25519PublicKey, ...]
    own_key: bool  # nobody named one: it is that of the state directory
    checkpoints: Path | None  # None: those in the ledger itself

    @property
    def place(self) -> str:
        """Return where the ledger lies, for people."""
        return str(self.ledger) if self.database is None else self.database.place

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Return the keys' short names."""
        return tuple(fingerprint(key) for key in self.keys)


def question_of(args: argparse.Namespace) -> Question:
    """Return what the options ask.

    Raises:
        BadRequest: An option can't be understood, or the key is missing.
        ConfigurationError: The configuration can't be read.
    """
    settings = load_settings(args.config) if args.ledger is None or args.config is not None else None
    ledger = args.ledger if args.ledger is not None else settings.state_dir if settings is not None else Path()
    zone_name = args.timezone or (settings.timezone if settings is not None else "")
    zone = zone_of(zone_name)
    since, until = _period(args, zone)
    configured = settings.ledger.checkpoints_to if settings is not None else None
    place = ledger_place(settings) if args.ledger is None and settings is not None else ledger
    return Question(
        ledger=ledger,
        database=None if isinstance(place, Path) else place,
        settings=settings,
        zone=zone,
        zone_name=zone_name,
        since=since,
        until=until,
        subjects=chain.Subjects(
            labels=tuple(Label.parse(word) for word in args.label) or (() if args.tag else (Label.SENSITIVE,)),
            tags=tuple(args.tag),
        ),
        keys=_keys(args.public_key, ledger),
        own_key=not args.public_key,
        checkpoints=args.checkpoints if args.checkpoints is not None else configured,
    )


@contextmanager
def answering(question: Question) -> Iterator[tuple[sqlite3.Connection, chain.Examined]]:
    """Examine the ledger, and hold it open for whoever wants to know more of it.

    Raises:
        LedgerUnavailable: It can't be read.
        BadRequest: The file of checkpoints can't be read.
    """
    with opened(question.database or question.ledger) as connection:
        read = _checkpoints(question, connection)
        try:
            examined = chain.verify(
                connection,
                since=question.since,
                until=question.until,
                subjects=question.subjects,
                read=read,
                elsewhere=question.checkpoints is not None,
            )
        except sqlite3.Error as error:
            raise LedgerUnavailable(f"The ledger {question.place} can't be read: {error}.") from error
        yield connection, examined


def _period(args: argparse.Namespace, zone: tzinfo | None) -> tuple[float | None, float | None]:
    if args.period is not None:
        if args.since is not None or args.until is not None:
            raise BadRequest("Write --period, or --from and --to, not both.")
        return span(args.period, zone, "--period")
    since = span(args.since, zone, "--from")[0] if args.since is not None else None
    until = span(args.until, zone, "--to")[1] if args.until is not None else None
    if since is not None and until is not None and until <= since:
        raise BadRequest(f"--to {args.until!r} is before --from {args.since!r}.")
    return since, until


def _keys(files: list[Path], ledger: Path) -> tuple[Ed25519PublicKey, ...]:
    if files:
        return tuple(read_public_key(_content(file), str(file)) for file in files)
    folder = ledger if ledger.is_dir() else ledger.parent
    signer = load_signer(folder, make=False)
    if signer is None:
        raise BadRequest(
            f"There is no {KEY_FILE} beside the ledger. Name the public key with --public-key; "
            "'aduana audit key' prints it where the gateway runs."
        )
    return (signer.public,)


def _checkpoints(question: Question, connection: sqlite3.Connection) -> ReadCheckpoints:
    if question.checkpoints is None:
        return read_checkpoints(chain.lines_behind(connection), question.keys)
    return read_checkpoints(_content(question.checkpoints).split(b"\n"), question.keys)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadRequest(f"{file} can't be read: {error.strerror}.") from error
