"""Files of the models: whole, and those that came."""

from collections.abc import Iterator
from pathlib import Path

from gateway.cli.doctor.finding import Finding, Patient, note, ok, problem
from gateway.cli.models.progress import shown
from gateway.core.errors import ConfigurationError
from gateway.engine.llama.gguf import read_header
from gateway.local.embedded.models.files import STARTER, model_path
from gateway.local.embedded.models.records import records
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig
from gateway.setup.digests import Digests, digests_of_user


def models(patient: Patient) -> Iterator[Finding]:
    """Yield each embedded model's size and digest, and whether it is still the file that was pulled."""
    settings = patient.settings
    if settings is None:
        return
    names = dict.fromkeys(name for target in settings.targets.values() for name in _files(target))
    if not names:
        yield ok("no model that this gateway runs itself")
        return
    expected, digests = _recorded(settings), digests_of_user()
    for name in names:
        try:
            parts = read_header(model_path(name, settings.model_directory)).parts
        except ConfigurationError as error:
            if name == STARTER and not (settings.model_directory / f"{STARTER}.gguf").exists():
                yield note(f"{name} is not unpacked yet; 'aduana serve' does that.")
            else:  # what is missing is told with the configuration too; here once more, by its file
                yield problem(error.message)
            continue
        for part in parts:
            yield from _file(part, expected.get(part.name, ""), digests, quick=patient.quick)


def _files(target: object) -> Iterator[str]:
    if isinstance(target, EmbeddedTargetConfig):
        yield target.model
        yield from target.lora
        yield from (name for name in (target.mmproj, target.draft.model) if name)


def _recorded(settings: Settings) -> dict[str, str]:
    return {
        file.name: file.sha256 for record in records(settings.model_directory) for file in record.files if file.sha256
    }


def _file(path: Path, expected: str, digests: Digests, *, quick: bool) -> Iterator[Finding]:
    size = path.stat().st_size
    what = f"{path.name}, {size / 1e9:.2f} GB"
    digest = digests.known(path)
    if not digest and quick:
        yield ok(f"{what} (not read whole: --quick)")
        return
    if not digest:
        with shown(f"Reading {path.name}", size) as progress:
            digest = digests.of(path, progress)
    if expected and digest != expected:
        yield problem(
            f"{what}: it is not the file that was pulled (SHA-256 {digest}).",
            "'aduana models verify' says more; pull it anew.",
        )
    else:
        yield ok(f"{what}, SHA-256 {digest}{', as it was pulled' if expected else ''}")
