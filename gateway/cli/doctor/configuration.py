"""The configuration, what `serve` would refuse in it, its policy and its keys."""

import os
import stat
import time
from collections.abc import Iterator, Sequence, Sized
from datetime import datetime
from pathlib import Path

from gateway.accounts.keys import StoredKey
from gateway.app.inspection import build_inspector
from gateway.app.keys.stored_keys import names_elsewhere, stored_keys
from gateway.app.models.plan import catalog_of
from gateway.app.preflight.examination import examined
from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.cli.policies import load_with
from gateway.core.errors import ConfigurationError
from gateway.policy.proof.check import check
from gateway.policy.proof.verdict import ProofOutcome
from gateway.settings import Settings
from gateway.settings.servers import ServerTargetConfig

_SOON = 14 * 86_400.0  # seconds before a key's end in which it is told of
_UNIT_KEYS = "/run/credentials/"  # systemd hands these files to the service alone


def configuration(patient: Patient) -> Iterator[Finding]:
    """Yield what is said of the configuration as a whole, and everything for which a start would be refused."""
    settings = patient.settings
    if settings is None:
        yield from (problem(text) for text in patient.problems)
        return
    file = settings.places.source.file
    counts = f"{_counted(settings.targets, 'target')}, {_counted(settings.keys, 'key')}"
    yield ok(f"{file or 'no aduana.yaml: defaults'}: {counts}")
    if file:
        yield from _writable(Path(file), "the configuration")
    try:
        with settings.places.told():
            warnings = examined(settings, running=patient.running is not None)
            inspection = settings.inspection
            own_words = inspection.words or inspection.patterns or inspection.lists
            if own_words and patient.own and settings.state_dir.is_dir():  # where what was compiled is kept
                build_inspector(settings)
    except ConfigurationError as error:
        for text in error.problems:
            handed = _UNIT_KEYS in text
            yield note(text, "systemd hands this file to the running service alone.") if handed else problem(text)
        return
    yield from (problem(text) for text in warnings)
    if not warnings:
        yield ok("nothing in it keeps the gateway from starting")


def _counted(things: Sized, word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def _writable(file: Path, what: str) -> Iterator[Finding]:
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield problem(f"Others on this machine may change {what} {file}.", f"Run: chmod go-w '{file}'")


def policy(patient: Patient) -> Iterator[Finding]:
    """Yield whether the policy loads and its claims hold."""
    settings = patient.settings
    if settings is None:
        return
    names = ", ".join(map(str, settings.policy)) or "the built-in home policy"
    for file in (*settings.policy, *settings.candidate):
        yield from _writable(file, "the policy")
    if patient.quick:
        yield ok(f"{names} (not proved: --quick)")
        return
    try:
        catalog = catalog_of(settings)
        loaded = load_with(settings, catalog, ())
        if settings.candidate:
            load_with(settings, catalog, settings.candidate)
    except ConfigurationError as error:
        yield from (problem(text) for text in error.problems)
        return
    result = check(loaded)
    for verdict in result.proof.verdicts:
        if verdict.outcome is not ProofOutcome.PROVED:
            yield problem(
                f"{verdict.place}: the claim does not hold: {verdict.claim}", "'aduana check' shows a request."
            )
    for failure in result.failures:
        yield problem(f"An expectation is not met: {failure}")
    if result.passed:
        yield ok(f"{names}: {len(result.proof.verdicts)} claims are proved, digest {result.digest}")


def keys(patient: Patient) -> Iterator[Finding]:
    """Yield what is said of API keys and of the files that secrets stand in."""
    settings = patient.settings
    if settings is None:
        return
    now = time.time()
    stored = stored_keys(settings) if patient.own else ()
    counting = [key for key in stored if key.counts_at(now)]
    admins = [name for name, key in settings.keys.items() if key.admin] + [key.name for key in counting if key.admin]
    if settings.keys or stored:
        names = [*settings.keys, *(key.name for key in counting)]
        yield ok(f"{_counted(names, 'key')}: {', '.join(names)}; administrators: {', '.join(admins) or 'none'}")
        yield from _stored(settings, counting, now)
    elif settings.server.anonymous:
        yield note("No key is needed: everybody who reaches the gateway may use it.")
    else:
        yield ok("no keys: only programs on this machine can ask")
    for setting, file in _key_files(settings):
        yield from _key_file(setting, file)


def _stored(settings: Settings, counting: Sequence[StoredKey], now: float) -> Iterator[Finding]:
    """Yield what is said of keys that commands made: whether one ends soon, or can't be told from a configured one."""
    for key in counting:
        if key.name in names_elsewhere(settings):
            yield problem(
                f"aduana.yaml has the name {key.name}, so the key that 'aduana keys' made of it does not count.",
                f"Choose another name in aduana.yaml, or run: aduana keys revoke {key.name}",
            )
        if key.expires_at is not None and key.expires_at - now < _SOON:
            day = datetime.fromtimestamp(key.expires_at).astimezone().date()
            yield note(f"The key {key.name} expires on {day}.", f"Run: aduana keys rotate {key.name} --expires 90d")


def _key_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    references = [(f"keys.{name}", key.secret) for name, key in settings.keys.items()]
    references += [
        (f"targets.{name}", target.api_key)
        for name, target in settings.targets.items()
        if isinstance(target, ServerTargetConfig) and target.api_key is not None
    ]
    if settings.users.front_end.secret is not None:
        references.append(("users.front_end", settings.users.front_end.secret))
    for setting, reference in references:
        kind, _, rest = reference.partition(":")
        if kind == "file":
            yield setting, Path(rest).expanduser()


def _key_file(setting: str, file: Path) -> Iterator[Finding]:
    try:
        mode = file.stat().st_mode
    except OSError:
        return  # told with the configuration
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield problem(f"{setting}: others on this machine may change {file}.", f"Run: chmod 600 '{file}'")
    elif mode & (stat.S_IRGRP | stat.S_IROTH) and file.is_relative_to(Path.home()):
        yield problem(f"{setting}: others on this machine may read {file}.", f"Run: chmod 600 '{file}'")
    elif mode & stat.S_IROTH and os.getuid():
        todo = f"Run: chmod 600 '{file}'; where a container mounts it that is as it should be."
        yield note(f"{setting}: everybody on this machine may read {file}.", todo)
    else:
        yield ok(f"{setting}: {file} is for its owner alone")
