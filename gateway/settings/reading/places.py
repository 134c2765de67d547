"""Where a setting stands: file, line and column, a variable of the environment, or an option of the command."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from gateway.core.errors import ConfigurationError
from gateway.core.yaml_source import Path, Source


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Places of the settings of one configuration. `options`: settings that an option of the command has replaced."""

    source: Source = Source("", {}, {})
    options: Mapping[Path, str] = MappingProxyType({})
    sections: frozenset[str] = frozenset()  # the words that names of settings begin with

    def of(self, path: Path) -> str:
        """Return where a setting stands; of a default, the file that lacks it. Empty: there is no file."""
        for length in range(len(path), 0, -1):
            option = self.options.get(path[:length])
            if option is not None:
                return option
            variable = "ADUANA_" + "__".join(str(part).upper() for part in path[:length])
            if variable in os.environ:
                return f"environment variable {variable}"
        if path[:1] in self.source.positions:
            return str(self.source.where(path))
        return self.source.file

    def sentence(self, problem: str) -> str:
        """Put the place before a sentence that begins with a setting's name, as `targets.home.model: …`."""
        name, colon, _ = problem.partition(": ")
        path = self._path(name) if colon and name.partition(".")[0] in self.sections else ()
        place = self.of(path) if path else ""
        return f"{place}: {problem}" if place else problem

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Give each problem of the body its place.

        Raises:
            ConfigurationError: The body's, with places.
        """
        try:
            yield
        except ConfigurationError as error:
            raise ConfigurationError(tuple(self.sentence(problem) for problem in error.problems)) from error

    def _path(self, name: str) -> Path:
        """Return the path of a setting by its name with dots; parts of it, as a target's name, may have dots too."""
        known = [*self.source.positions, *self.options]
        within = [path for path in known if path and f"{name}.".startswith(".".join(map(str, path)) + ".")]
        return max(within, key=len, default=None) or tuple(name.split("."))
