"""`aduana models rm` and `verify`: only what Aduana itself pulled or linked."""

import argparse
from pathlib import Path
from typing import assert_never

from gateway.cli.lines import print_line
from gateway.cli.models.directory import directory_of
from gateway.cli.models.progress import shown
from gateway.cli.models.words import say
from gateway.local.embedded.models.files import models
from gateway.local.embedded.models.records import Fault, ModelRecord, find, records, remove, verify


def run(args: argparse.Namespace) -> int:
    """Carry out the action, and return 0, or 1 where a model is not as it came."""
    directory = directory_of(args)
    return _remove(directory, args.models) if args.action == "rm" else _verify(directory, args.models)


def _remove(directory: Path, names: list[str]) -> int:
    for name in dict.fromkeys(names):
        find(directory, name)  # all are known before the first one goes
    for name in dict.fromkeys(names):
        record, left = remove(directory, name)
        linked = any(file.link for file in record.files)
        freed = sum(file.size for file in record.files if not file.link)
        if linked:
            print_line(say("{name}: its links were removed. The other program's files are untouched.", name=name))
        else:
            print_line(say("{name}: removed, {size} GB are free again.", name=name, size=f"{freed / 1e9:.2f}"))
        for fault in left:
            print_line(f"  {_told(directory, record, fault)}")
    return 0


def _verify(directory: Path, names: list[str]) -> int:
    wanted = [find(directory, name) for name in names] if names else records(directory)
    known = {directory / file.name for record in records(directory) for file in record.files}
    other = [model.name for model in models(directory) if model.path not in known]
    whole = sum(file.size for record in wanted for file in record.files if file.sha256)
    bad = False
    with shown(say("Reading"), whole) as progress:
        faults = {record.name: verify(directory, record, progress) for record in wanted}
    for record in wanted:
        bad |= bool(faults[record.name])
        complete = all(file.sha256 for file in record.files)
        good = say("as it came") if complete else say("there, with its size; no digest is known for all of it")
        print_line(f"{record.name:32} {say('NOT AS IT CAME') if faults[record.name] else good}")
        for fault in faults[record.name]:
            print_line(f"  {_told(directory, record, fault)}")
        if faults[record.name]:
            print_line("  " + say("Bring it anew: 'aduana models rm {name}', then as before.", name=record.name))
    if not names and other:
        them = ", ".join(other)
        print_line(say("Not pulled or linked by Aduana, so nothing is known to compare them with: {them}", them=them))
    if not wanted and not other:
        print_line(say("No models in {directory}.", directory=directory))
    return 1 if bad else 0


def _told(directory: Path, record: ModelRecord, fault: Fault) -> str:
    """Say what is wrong with a file."""
    path = directory / fault.file
    link = next((file.link for file in record.files if file.name == fault.file), "")
    match fault.kind:
        case "gone" if link:
            return say("{path} points nowhere: {link} is gone.", path=path, link=link)
        case "gone":
            return say("{path} is gone.", path=path)
        case "size":
            return say("{path} has another size than when it came: {detail}.", path=path, detail=fault.detail)
        case "digest":
            return say("{path} has another digest than when it came.", path=path)
        case "unreadable":
            return say("{path} can't be read: {detail}.", path=path, detail=fault.detail)
        case "not_ours":
            return say("{path} is not the file that was put there. It was left alone.", path=path)
        case _:
            assert_never(fault.kind)
