"""`aduana models import`: link a model that another program has on this machine into the model directory."""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.lines import print_line
from gateway.cli.models.configuration import example
from gateway.cli.models.directory import directory_of
from gateway.cli.models.words import say
from gateway.core.errors import BadRequest
from gateway.core.yaml_source import suggest
from gateway.engine.llama.gguf import read_header
from gateway.local.embedded.models.records import ModelRecord, link
from gateway.setup.model_files import FoundModel, find_models

STORES = {"ollama": "Ollama", "lm-studio": "LM Studio", "hugging-face": "Hugging Face", "llama.cpp": "llama.cpp"}


def run(args: argparse.Namespace) -> int:
    """List what other programs have, or link one of them; return 0."""
    found = find_models()
    if args.model is None:
        _show(found, as_json=args.json)
        return 0
    directory = directory_of(args)
    path = Path(args.model).expanduser()
    if os.path.isfile(path):  # of a name that no file can have: False
        record = _link_file(path, directory, args.name)
    else:
        record = link_found(chosen(found, args.model), directory, args.name)
    print_line(say("{name} is linked in {directory}. Nothing was copied.", name=record.name, directory=directory))
    print_line(say("Its file stays where it is: when its own program removes it there, it is gone here too."))
    print(example(record.name, projector=any(file.name.startswith("mmproj-") for file in record.files)))
    return 0


def chosen(found: list[FoundModel], wanted: str) -> FoundModel:
    """Return the model that is meant by its name or by what its own program calls it.

    Raises:
        BadRequest: none is, or more than one.
    """
    names = {wanted.lower(), f"{wanted.lower()}:latest"}
    meant = [model for model in found if names & {model.name.lower(), model.origin.lower()}]
    if len(meant) == 1:
        return meant[0]
    if meant:
        there = ", ".join(f"{model.name} ({model.path})" for model in meant)
        raise BadRequest(say("{wanted} is more than one model: {there}. Name the file.", wanted=wanted, there=there))
    hint = suggest(wanted, [name for model in found for name in (model.name, model.origin)])
    raise BadRequest(
        say(
            "No model {wanted} was found here.{hint} 'aduana models import' lists those that there are.",
            wanted=wanted,
            hint=hint,
        )
    )


def link_found(model: FoundModel, directory: Path, name: str | None = None) -> ModelRecord:
    """Link a model that was found.

    Raises:
        BadRequest: its name is taken.
        ConfigurationError: its file can't be used, or the directory can't be written to.
    """
    read_header(model.path if len(model.parts) == 1 else model.parts[0])
    return link(
        directory,
        name or model.name,
        model.parts,
        source=f"{model.store}:{model.origin}",
        added=f"{datetime.now(UTC):%Y-%m-%d}",
        projector=model.projector,
        digests=model.digests,
    )


def _link_file(path: Path, directory: Path, name: str | None) -> ModelRecord:
    header = read_header(path)
    stem = path.name.removesuffix(".gguf")
    if len(header.parts) > 1:
        stem = stem.rpartition("-00001-of-")[0]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return link(directory, name or stem, header.parts, source=f"file:{path.resolve()}", added=today)


def _show(found: list[FoundModel], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "name": model.name,
                "store": model.store,
                "origin": model.origin,
                "bytes": model.size,
                "files": [str(part) for part in model.parts],
                "projector": str(model.projector) if model.projector else None,
            }
            for model in found
        ]
        json.dump(rows, sys.stdout, indent=2)
        print()
        return
    if not found:
        print_line(say("Neither Ollama, LM Studio, Hugging Face's cache nor llama.cpp's cache has a GGUF model here."))
        print_line(say("'aduana models pull' lists models to download."))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.cli.terminal import show_table

    table = Table(box=None, pad_edge=False)
    table.add_column(say("Name"), overflow="fold")
    table.add_column(say("Size"), justify="right", no_wrap=True)
    table.add_column(say("In"), no_wrap=True)
    table.add_column(say("Called there"), overflow="fold")
    for model in found:
        sees = say(" + projector") if model.projector is not None else ""
        table.add_row(
            Text(model.name), f"{model.size / 1e9:.1f} GB", STORES[model.store], Text(f"{model.origin}{sees}")
        )
    console = Console(highlight=False)
    show_table(console, table)
    console.print("\n" + say("Link one, without copying it: aduana models import NAME"))
