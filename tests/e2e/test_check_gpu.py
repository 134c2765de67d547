"""`make check-gpu` on a machine without a card."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.engine.llama.model import can_use_gpu


@pytest.mark.skipif(can_use_gpu(), reason="there is a card, so it would measure")
def test_without_a_card_it_says_so_and_ends_well(tmp_path: Path) -> None:
    """Nothing is measured and nothing is written, so that a table always means a card."""
    command = [sys.executable, "-m", "tests.bench.gpu", "--out", str(tmp_path / "table.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("not run: ")
    assert not list(tmp_path.iterdir())
