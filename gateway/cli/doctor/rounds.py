"""The order of the examination. Whatever breaks in one part is told as its finding, and the next part goes on."""

import argparse
import importlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.cli.doctor import REPAIR
from gateway.cli.doctor.finding import Examine, Finding, Level, Patient, problem
from gateway.cli.doctor.show import printed, printed_as_json
from gateway.core.errors import AduanaError, ConfigurationError
from gateway.ledger import lock_holder
from gateway.settings import Settings, load_settings

# Name of a part → module and function.
_PARTS = {
    "Installation": "installation:packages",
    "Machine": "installation:machine",
    "Engine": "installation:engine",
    "Configuration": "configuration:configuration",
    "Policy": "configuration:policy",
    "Keys": "configuration:keys",
    "Users": "users:users",
    "Models": "models:models",
    "State": "state:directory",
    "Ledger": "state:ledger",
    "Proofs": "proofs:checkpoints",
    "Clock and disk": "state:surroundings",
    "Walls": "walls:walls",
    "Gateway": "network:gateway",
    "Servers at home": "network:servers",
    "Clouds": "network:clouds",
    "Seal": "seal:seal",
    "Servers' own connections": "seal:relays",
}


def run(args: argparse.Namespace) -> int:
    """Examine everything, print it as it is found, and return 0, or 1 where there is a problem."""
    patient = admitted(args)
    findings = _once((part, finding) for part in _PARTS for finding in examined(part, patient))
    return printed_as_json(findings) if args.json else printed(findings)


def _once(findings: Iterable[tuple[str, Finding]]) -> Iterator[tuple[str, Finding]]:
    """Leave out what an earlier part has told already, with the place of its setting."""
    told: list[str] = []
    for part, finding in findings:
        if finding.level is Level.PROBLEM:
            if any(text.endswith(finding.text) for text in told):
                continue
            told.append(finding.text)
        yield part, finding


def admitted(args: argparse.Namespace) -> Patient:
    """Return the installation, as far as it can be read."""
    settings: Settings | None = None
    problems: tuple[str, ...] = ()
    try:
        settings = load_settings(args.config)
    except ConfigurationError as error:
        problems = error.problems
    folder = settings.state_dir if settings is not None else None
    return Patient(
        settings=settings,
        problems=problems,
        config=args.config,
        running=lock_holder(folder) if folder is not None else None,
        own=folder is None or _own(folder),
        online=args.online,
        quick=args.quick,
    )


def examined(part: str, patient: Patient) -> Iterator[Finding]:
    """Yield what is found in one part."""
    module, _, function = _PARTS[part].partition(":")
    try:
        examine: Examine = getattr(importlib.import_module(f"gateway.cli.doctor.{module}"), function)
        yield from examine(patient)
    except ImportError as error:
        yield problem(f"A package is missing or broken: {error}.", REPAIR)
    except AduanaError as error:
        yield problem(error.message)
    except Exception as error:  # noqa: BLE001 - a doctor goes on whatever is broken, and says what
        yield problem(f"This could not be examined: {type(error).__name__}: {error}", "Please report it as a bug.")


def _own(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.getuid()
    except OSError:
        return True
