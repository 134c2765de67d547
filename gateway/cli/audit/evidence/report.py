"""`aduana audit report`: the page for the auditor. One HTML file, nothing loaded from elsewhere, made to be printed."""

import argparse
import os
import shlex
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from gateway import __version__
from gateway.app.models.plan import catalog_of
from gateway.cli.audit.evidence.figures import figures
from gateway.cli.audit.evidence.question import Question, answering, question_of
from gateway.cli.audit.evidence.spanish import SPANISH
from gateway.cli.audit.evidence.verify import STATUS, verdict
from gateway.cli.audit.evidence.words import Words
from gateway.cli.lines import print_line
from gateway.cli.policies import load_with
from gateway.core.errors import AduanaError
from gateway.core.labels import Label
from gateway.core.translation import Language, Translator, language_from_locale
from gateway.ledger import FILE_NAME
from gateway.ledger.chain import Examined, LinkKind
from gateway.policy.proof.check import check
from gateway.policy.proof.verdict import BUILT_IN_CEILING, BUILT_IN_STAY, PolicyCheck
from gateway.settings import Settings

_PLACES = {"l": "local", "c": "cloud", "": "by nobody"}


def run(args: argparse.Namespace) -> int:
    """Write the page, and return the exit status of the verification.

    Raises:
        AduanaError: The ledger, the key or the checkpoints can't be read.
    """
    question = question_of(args)
    language = args.lang or language_from_locale(os.environ)
    with answering(question) as (connection, found):
        page = page_of(question, found, connection, language)
    args.output.write_text(page, encoding="utf-8")
    print_line(str(args.output))
    print_line(verdict(found, Translator(SPANISH, language)))
    return STATUS[found.standing]


def page_of(question: Question, found: Examined, connection: sqlite3.Connection, language: Language) -> str:
    """Return the page."""
    say = Translator(SPANISH, language)
    words = Words(say, question.zone)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    proved = _proved(question.settings) if question.settings is not None else None
    return template.render(
        t=say,
        w=words,
        language=language,
        found=found,
        verdict=verdict(found, say),
        claims=words.claims(found),
        integrity=words.integrity(found),
        places=_by_label(found),
        removals=_by_day(found, words),
        figures=figures(connection, question.since, question.until),
        label=lambda number: say(Label(number).word),
        policy=proved,
        built_in=(BUILT_IN_CEILING, BUILT_IN_STAY),
        question=question,
        zone=question.zone_name or say("this machine's time"),
        command=_command(question),
        made=words.time(time.time()),
        version=__version__,
    )


def _by_label(found: Examined) -> Mapping[int, Mapping[str, int]]:
    """Return how many requests of each label were answered where, the gravest label first."""
    table: dict[int, dict[str, int]] = {}
    for number, where, count in sorted(found.places, reverse=True):
        row = table.setdefault(number, dict.fromkeys(_PLACES.values(), 0))
        row[_PLACES.get(where, "by nobody")] += count
    return table


def _by_day(found: Examined, words: Words) -> Mapping[tuple[str, LinkKind], int]:
    """Return how many requests were removed on which day and why, in the order in which they were."""
    table: Counter[tuple[str, LinkKind]] = Counter()
    for one in sorted(found.removals, key=lambda one: one.at):
        table[words.day(one.at), one.kind] += one.last - one.first + 1
    return table


def _proved(settings: Settings) -> PolicyCheck | None:
    """Return what is proved of the configured policy; None where it can't be loaded here."""
    try:
        return check(load_with(settings, catalog_of(settings), ()))
    except AduanaError:
        return None


def _command(question: Question) -> str:
    """Return the command with which the auditor verifies the same for himself."""
    words: list[Any] = [
        "aduana",
        "audit",
        "verify",
        FILE_NAME if question.database is not None or question.ledger.is_dir() else _name(question.ledger),
    ]
    for option, at in (("--from", question.since), ("--to", question.until)):
        if at is not None:
            day = Words(Translator({}, "en"), question.zone).day(at if option == "--from" else at - 1)
            words += [option, day]
    if question.zone_name:
        words += ["--timezone", question.zone_name]
    words += [word for label in question.subjects.labels for word in ("--label", label.word)]
    words += [word for tag in question.subjects.tags for word in ("--tag", tag)]
    words += ["--public-key", "aduana.pub"]
    if question.checkpoints is not None:
        words += ["--checkpoints", _name(question.checkpoints)]
    return shlex.join(words)


def _name(path: Path) -> str:
    return path.name or str(path)
