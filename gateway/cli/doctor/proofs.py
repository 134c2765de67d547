"""Whether checkpoints of the ledger get to where nobody who can change the ledger can change them."""

import os
from collections.abc import Iterator
from datetime import datetime

from gateway.app.checkpoints.file import lines_of
from gateway.app.state.ledger_place import ledger_place
from gateway.cli.audit.evidence.ledgers import opened
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.core.errors import AduanaError
from gateway.ledger import chain
from gateway.ledger.chain.checkpoints import parsed


def checkpoints(patient: Patient) -> Iterator[Finding]:
    """Yield where checkpoints go, and whether the file there is up to date."""
    settings = patient.settings
    if settings is None or not patient.own or not settings.state_dir.is_dir():
        return
    file = settings.ledger.checkpoints_to
    if file is None:
        yield ok("checkpoints stay in the ledger; ledger.checkpoints_to sends them to another machine (docs/proofs.md)")
        return
    try:
        if file.exists() and os.stat(file).st_dev == os.stat(settings.state_dir).st_dev:
            yield note(f"{file} is on the same disk as the ledger: whoever can change one can change both.",
                       "Name a file on another machine's mount (ledger.checkpoints_to).")  # fmt: skip
        there = lines_of(file)
    except OSError as error:
        yield problem(f"{file} can't be read: {error.strerror}.", "Requests go on; see to the mount.")
        return
    try:
        with opened(ledger_place(settings)) as connection:
            lines = chain.lines_behind(connection)
    except AduanaError:
        return  # told with the ledger
    newest = parsed(lines[-1]) if lines else None
    if newest is None:
        yield ok(f"no checkpoint yet; they go to {file}")
        return
    missing = sum(line not in there for line in lines)
    when = datetime.fromtimestamp(newest.at).astimezone().isoformat(" ", "minutes")
    if missing > 0:
        yield problem(
            f"{file} lacks checkpoints that the ledger has ({missing}).",
            "See that the gateway's user may append to it; the gateway then writes what is missing.",
        )
    else:
        yield ok(f"the last checkpoint, of {when}, is in {file}")
