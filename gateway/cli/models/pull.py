"""`aduana models pull`: a model from Hugging Face, whole and checked, or not at all."""

import argparse
import os
from collections.abc import Mapping

from gateway.cli.lines import print_line
from gateway.cli.models.configuration import example
from gateway.cli.models.directory import directory_of
from gateway.cli.models.fetching import fetch
from gateway.cli.models.hub import Hub, Repository
from gateway.cli.models.importing import link_found
from gateway.cli.models.reference import Choice, choose, parse
from gateway.cli.models.words import say
from gateway.core.errors import BadRequest
from gateway.local.embedded.models.records import ModelRecord, projector_name, records
from gateway.setup.known_models import KnownModels, known_models
from gateway.setup.machine import Machine, this_machine
from gateway.setup.model_files import FoundModel, find_models

_RAM_SHARE = 0.5  # of the RAM for a model, where there is no card
_FITS = 0.9  # of the memory: the rest is for the KV cache


def run(args: argparse.Namespace) -> int:
    """Bring the model, or list some; return 0."""
    machine = this_machine()
    if args.model is None:
        _suggest(known_models(), memory_of(machine))
        return 0
    directory = directory_of(args)
    known = known_models().named(args.model)
    reference = parse(known.reference if known is not None else args.model)
    hub = Hub(_token(args.token_env, os.environ))
    repository = hub.repository(reference)
    choice = choose(repository.files, reference, memory_of(machine))
    if args.no_projector:
        choice = _without_projector(choice)
    name = args.name or choice.name
    _tell(hub, repository, choice, name, machine)
    if args.dry_run:
        return 0
    there = next((record for record in records(directory) if record.name == name), None)
    if there is not None and _same(there, choice):
        print(
            say(
                "{name} is already in {directory}. 'aduana models verify {name}' reads it through.",
                name=name,
                directory=directory,
            )
        )
        return 0
    found = None if args.download else _elsewhere(choice)
    if found is not None:
        record = link_found(found, directory, name)
        print(
            say(
                "The same model is on this machine already ({path}). It was linked, and nothing was downloaded.",
                path=found.path,
            )
        )
    else:
        record = fetch(hub, repository, choice, directory, name)
    print_line(say("{name} is now in {directory}.", name=name, directory=directory))
    print(example(name, projector=any(file.name == projector_name(name) for file in record.files)))
    return 0


def memory_of(machine: Machine) -> int | None:
    """Return the bytes that a model may take: those of the cards, else half of the RAM. None: nobody knows."""
    if machine.gpu_memory:
        return machine.gpu_memory
    return None if machine.ram is None else int(_RAM_SHARE * machine.ram)


def _token(variable: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the token in that variable; None: no variable is named.

    Raises:
        BadRequest: there is no token in it.
    """
    if variable is None:
        return None
    token = environ.get(variable, "").strip()
    if not token:
        raise BadRequest(say("The environment variable {name} (--token-env) is not set, or is empty.", name=variable))
    return token


def _without_projector(choice: Choice) -> Choice:
    return Choice(name=choice.name, quantisation=choice.quantisation, parts=choice.parts)


def _tell(hub: Hub, repository: Repository, choice: Choice, name: str, machine: Machine) -> None:
    """Say what comes before it comes."""
    page = f"{hub.address}/{repository.name}"
    print_line(say("{page}, revision {revision}", page=page, revision=repository.revision[:12]))
    parts = say(", in {count} parts", count=len(choice.parts)) if len(choice.parts) > 1 else ""
    print_line(f"  {name}: {choice.quantisation or '?'}, {choice.size / 1e9:.2f} GB{parts}")
    if choice.projector is not None:
        projector = f"{choice.projector.size / 1e9:.2f}"
        print_line("  " + say("and its projector for pictures or sound, {size} GB (--no-projector)", size=projector))
    where = f" ({repository.licence_page})" if repository.licence_page else ""
    print_line(
        "  " + say("Licence: {licence}", licence=(repository.licence or say("not stated, see its page")) + where)
    )
    if repository.base:
        print_line("  " + say("Made from {base}, whose terms hold as well", base=repository.base))
    memory = memory_of(machine)
    if memory is not None:
        whole = f"{memory / 1e9:.1f}"
        has = (
            say("The cards have {size} GB", size=whole)
            if machine.gpu_memory
            else say("Half of the RAM is {size} GB", size=whole)
        )
        fits = say("it fits") if choice.size <= _FITS * memory else say("it does not fit, so it will be slow")
        print_line(f"  {has}: {fits}")


def _same(record: ModelRecord, choice: Choice) -> bool:
    digests = {file.sha256 for file in record.files}
    return all(part.sha256 and part.sha256 in digests for part in choice.parts)


def _elsewhere(choice: Choice) -> FoundModel | None:
    """Return a model of another program that is this very one, by its digests."""
    wanted = tuple(part.sha256 for part in choice.parts)
    if not all(wanted):
        return None
    for model in find_models():
        if model.digests == wanted and (choice.projector is None or model.projector is not None):
            return model
    return None


def _suggest(known: KnownModels, memory: int | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column(say("Name"), no_wrap=True)
    table.add_column(say("Size"), no_wrap=True, justify="right")
    table.add_column(say("Cards"), no_wrap=True)
    table.add_column(say("Good for"))
    table.add_column(say("Here"), no_wrap=True)
    for model in known.models:
        fits = "?" if memory is None else say("fits") if model.bytes <= _FITS * memory else say("too large")
        table.add_row(Text(model.name), f"{model.bytes / 1e9:.1f} GB", say(model.cards), say(model.good_for), fits)
    console = Console(highlight=False)
    console.print(table)
    console.print("\n" + say("List of {date}, each with its page in docs/pulling.md.", date=known.date))
    if memory is not None:
        size = f"{memory / 1e9:.1f}"
        console.print(say("There are {size} GB here for a model and its memory of conversations.", size=size))
    console.print(say("Download one: aduana models pull NAME; or any other: aduana models pull ORG/REPOSITORY"))
