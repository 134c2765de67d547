"""The wizard: what it shows and asks, in which order, and what it does with the answers."""

import argparse
import importlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from gateway.cli import main
from gateway.cli.init.configuration import Choices, configuration
from gateway.cli.init.engine_step import with_engine
from gateway.cli.init.files import refuse_existing, write_new
from gateway.cli.init.findings import Findings, look
from gateway.cli.init.network import names_of_this_machine, network, new_secrets
from gateway.cli.init.profiles import DEFAULT, PROFILES, Profile, profile_of
from gateway.cli.init.questions import Answers, Defaults, Person
from gateway.cli.init.selection import clouds_chosen, models_chosen
from gateway.cli.init.service_step import ServiceStep
from gateway.cli.init.spanish import SPANISH
from gateway.cli.init.telling import show_findings, show_next
from gateway.cli.models.importing import link_found
from gateway.cli.starter import shown_progress
from gateway.core.translation import Translator, language_from_locale
from gateway.local.embedded.models.files import default_models_dir, unpack_starter
from gateway.settings import DEFAULT_FILE, own_folder
from gateway.shipped import folder as shipped


def run(args: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Set everything up, and return 0; 1 where the check or the service fails.

    Raises:
        AduanaError: It could not be done; nothing was written.
    """
    tell = Translator(SPANISH, args.lang or language_from_locale(environ))
    console = Console(highlight=False)
    answers: Answers = Defaults() if args.yes else Person(console, tell)
    service = ServiceStep(args, environ, console, tell)
    console.print(f"[bold]{tell('Aduana: first set-up')}[/]")
    folder = _folder(args.directory, service.folder or own_folder(environ), answers, tell)
    refuse_existing(folder, {str(DEFAULT_FILE): ""}, tell)
    state_dir = service.state_dir or _named_state(environ)
    models_dir = state_dir / "models" if state_dir is not None else default_models_dir()
    look_here = partial(look, environ, models_dir)
    found = look_here()
    show_findings(console, found, tell)
    if not args.model:
        found = with_engine(found, None if args.yes else _install_engine, look_here, answers, tell)
    chosen = _choices(args, found, folder, models_dir, answers, tell)
    choices = msgspec.structs.replace(chosen, state_dir=state_dir)
    service.refuse_unfit(folder, choices)
    _write(console, choices, folder, models_dir, tell)
    if main(["check", "--config", str(folder / DEFAULT_FILE)]) != 0:
        console.print(tell("The check failed. Correct what it says, then run 'aduana check' again."))
        return 1
    outcome = service.offer(folder, choices, answers, engine=found.engine)
    show_next(console, choices, folder, found, outcome, tell)
    return 1 if outcome.failed else 0


def _choices(
    args: argparse.Namespace, found: Findings, folder: Path, models_dir: Path, answers: Answers, tell: Translator
) -> Choices:
    """Ask for what no option says."""
    profile = _profile(args.profile, answers, tell)
    models = models_chosen(args.model or (), found, models_dir, answers, tell)
    clouds = clouds_chosen(args.cloud or (), found.keys, answers, tell)
    shared = args.network or answers.whether(tell("Shall other devices on your network use it too?"), default=False)
    return Choices(
        profile=profile,
        models=tuple(models),
        clouds=tuple(clouds),
        other_keys=tuple(key for key in found.keys if key not in clouds),
        port=args.port or found.port,
        network=network(profile, folder, names_of_this_machine()) if shared else None,
    )


def _install_engine() -> int:
    status = main(["engine", "install"])
    importlib.invalidate_caches()  # what was installed a moment ago can be found
    return status


def _folder(named: Path | None, usual: Path, answers: Answers, tell: Translator) -> Path:
    chosen = named or Path(answers.text(tell("Folder for aduana.yaml and the policy"), _short(usual)))
    return chosen.expanduser().absolute()


def _short(folder: Path) -> str:
    """Return a folder as people write it, with ~ for their home."""
    home = Path("~").expanduser()
    return str(Path("~") / folder.relative_to(home)) if folder.is_relative_to(home) else str(folder)


def _profile(named: str | None, answers: Answers, tell: Translator) -> Profile:
    if named is not None:
        return profile_of(named)
    options = [(tell(profile.title), tell(profile.about)) for profile in PROFILES]
    default = next(place for place, profile in enumerate(PROFILES) if profile.name == DEFAULT)
    return PROFILES[answers.one(tell("Who uses it?"), options, default)]


def _named_state(environ: Mapping[str, str]) -> Path | None:
    """Return the state directory that the environment names, which a service would not know of."""
    named = environ.get("ADUANA_STATE_DIR")
    return Path(named).expanduser().absolute() if named else None


def _write(console: Console, choices: Choices, folder: Path, models_dir: Path, tell: Translator) -> None:
    """Write the configuration, the policy, and what models need in the model directory.

    Raises:
        AduanaError: Something is there already, or can't be written.
    """
    policy = (shipped("policies") / choices.policy_file).read_text(encoding="utf-8")
    files = {choices.policy_file: policy, str(DEFAULT_FILE): configuration(choices, tell)}
    refuse_existing(folder, files, tell)
    keys = new_secrets(choices.network) if choices.network is not None else {}
    refuse_existing(folder, {str(file.relative_to(folder)): "" for file in keys}, tell)
    for candidate in choices.models:
        if candidate.kind == "starter":
            unpack_starter(models_dir, shown_progress())
        if candidate.found is not None:
            link_found(candidate.found, models_dir, candidate.model)
    write_new(folder, files, keys, tell)
    _name_written(console, [folder / name for name in files], tell)


def _name_written(console: Console, files: Sequence[Path], tell: Translator) -> None:
    console.print()
    for file in reversed(files):
        console.print(tell("Written: {file}", file=file), markup=False, soft_wrap=True)
    console.print(
        tell("Now 'aduana check' reads them and proves the policy (the first time that takes half a minute):"),
    )
