"""Audits run in a directory without a configuration; the gateways that they start import this source tree."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.audit.privacy import audit

Audited = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def audited(capfd: pytest.CaptureFixture[str]) -> Audited:
    """Audit the gateway that a command starts, and return exit status and result."""

    def audited(parts: str, *command: str) -> tuple[int, dict[str, Any]]:
        args = argparse.Namespace(config=None, quick=False, part=parts.split(), full=False, json=True, verbose=False)
        code = audit(args, (sys.executable, "-m", *command))
        return code, json.loads(capfd.readouterr().out)

    return audited
