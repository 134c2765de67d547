"""What the tests of deploy/ share: tools that may be missing, files, commands read by the real parser."""

import argparse
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.cli import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def deploy() -> Path:
    """Return the folder deploy/."""
    return REPOSITORY / "deploy"


@pytest.fixture(scope="session")
def read_yaml() -> Callable[[Path], Any]:
    """Read one YAML document, with its anchors resolved."""
    return lambda path: YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program; skip the test where it is not installed."""

    def run(
        name: str, *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        beside_python = str(Path(sys.executable).parent)
        found = shutil.which(name, path=os.pathsep.join([beside_python, os.environ.get("PATH", ""), "/usr/sbin"]))
        if found is None:
            pytest.skip(f"{name} is not installed here")
        return subprocess.run(
            [found, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env=env
        )

    return run


@pytest.fixture(scope="session")
def aduana_arguments() -> Callable[[Sequence[str]], argparse.Namespace]:
    """Read `aduana` arguments as the command itself would; unknown commands and options fail the test."""

    def read(words: Sequence[str]) -> argparse.Namespace:
        if list(words) == ["--version"]:
            return argparse.Namespace(command="--version")
        assert words, "a command is missing"
        assert words[0] in COMMANDS, f"'aduana {words[0]}' is not a command"
        parser = argparse.ArgumentParser(exit_on_error=False)
        subparsers = parser.add_subparsers(dest="command", required=True)
        importlib.import_module(f"gateway.cli.{words[0]}").add_parser(subparsers)
        try:
            return parser.parse_args(list(words))
        except (SystemExit, argparse.ArgumentError) as error:
            raise AssertionError(f"'aduana {' '.join(words)}' is not understood: {error}") from error

    return read


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Remove the ADUANA_ variables of the person who runs the tests, and return the patcher for further ones."""
    for name in [name for name in os.environ if name.startswith("ADUANA_")]:
        monkeypatch.delenv(name)
    return monkeypatch
