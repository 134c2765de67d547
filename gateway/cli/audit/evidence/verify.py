"""`aduana audit verify`: the verdict for a terminal, or as JSON."""

import argparse
import os
import sys

import msgspec
from rich.console import Console

from gateway.cli.audit.evidence.question import Question, answering, question_of
from gateway.cli.audit.evidence.spanish import SPANISH
from gateway.cli.audit.evidence.words import Sign, Words
from gateway.cli.terminal import show_sentence
from gateway.core.translation import Translator, language_from_locale
from gateway.ledger.chain import Examined, Standing

STATUS = {Standing.PROVED: 0, Standing.REFUTED: 1, Standing.OPEN: 3}
_STYLES = {Sign.PROVED: "green", Sign.OPEN: "yellow", Sign.REFUTED: "bold red", Sign.NOTE: "dim"}
_SIGN_WIDTH = 12


def run(args: argparse.Namespace) -> int:
    """Verify, print what was found, and return the exit status.

    Raises:
        AduanaError: The ledger, the key or the checkpoints can't be read.
    """
    question = question_of(args)
    with answering(question) as (_, found):
        pass
    if args.json:
        print(as_json(question, found))
    else:
        show(question, found, Translator(SPANISH, args.lang or language_from_locale(os.environ)))
    return STATUS[found.standing]


def as_json(question: Question, found: Examined) -> str:
    """Return everything for programs."""
    told = {
        "standing": found.standing,
        "ledger": question.place,
        "keys": question.fingerprints,
        **msgspec.structs.asdict(found),
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def show(question: Question, found: Examined, say: Translator) -> None:
    """Print the verdict: what is proved, what is open, what is refuted."""
    console, words = Console(file=sys.stdout, highlight=False), Words(say, question.zone)
    show_sentence(console, "", question.place)
    zone = question.zone_name or say("this machine's time")
    counted = say("{period} ({zone}); requests: {count}", period=words.period(found), zone=zone,
                  count=words.number(found.requests))  # fmt: skip
    show_sentence(console, "", counted)
    source = say("the ledger itself") if question.checkpoints is None else str(question.checkpoints)
    keys = ", ".join(question.fingerprints)
    show_sentence(console, "", say("checkpoints: {source}; key: {keys}", source=source, keys=keys))
    for sign, sentence in (*words.claims(found), *words.integrity(found)):
        word = say(sign.value)
        show_sentence(console, f"  [{_STYLES[sign]}]{word}[/]{' ' * (_SIGN_WIDTH - len(word))}", sentence)
    show_sentence(console, "", "")
    show_sentence(console, "", verdict(found, say))


def verdict(found: Examined, say: Translator) -> str:
    """Return the verdict in one sentence."""
    match found.standing:
        case Standing.PROVED:
            return say("All of it is proved.")
        case Standing.OPEN:
            return say("Nothing speaks against it; what is marked as open is not proved.")
        case _:
            return say("It is refuted: see the lines in question.")
