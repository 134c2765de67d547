"""What was acknowledged survives SIGKILL at any moment, once."""

import random
import subprocess
import sys
from pathlib import Path

from tests.standins.postgresql import Postgresql

ROOT = Path(__file__).resolve().parents[2]


def killed(*options: str) -> str:
    """Run a campaign of 25 kills in a process of its own, which forks, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.crash", "--kills", "25", "--seed", str(random.randrange(10**6)), *options],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_of_this_machine_keeps_what_it_acknowledged() -> None:
    """25 gateways are killed at random moments: no acknowledged record is lost, none is there twice."""
    assert "none is lost" in killed("--ledger", "sqlite")


def test_a_shared_database_keeps_what_it_acknowledged(postgresql: Postgresql) -> None:
    """The same in PostgreSQL, where each gateway finds the requests of the one before still open."""
    assert "none is lost" in killed("--ledger", "postgresql", "--address", postgresql.fresh())
