"""What is copied out is everything but content, in a form that other programs take."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import main
from tests.cli.ledger.conftest import NUMBERS

Export = Callable[..., str]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Export:
    """Return what an export writes to standard output."""

    def run(*options: str) -> str:
        capsys.readouterr()
        assert main(["ledger", "export", *options]) == 0
        return capsys.readouterr().out

    return run


async def test_an_export_has_everything_but_content(office: Path, export: Export) -> None:
    """One JSON object a line, in the order in which they came, with lists as lists and labels as words."""
    lines = [json.loads(line) for line in export().splitlines()]
    assert [line["request_id"] for line in lines] == [f"req_{unique}" for unique in NUMBERS]
    first = lines[0]
    assert (first["key"], first["user"], first["label"], first["tags"]) == ("ana", "=maria", "internal", ["a", "b"])
    assert (first["target"], first["outcome"], first["input"], first["attempts"]) == (
        "home",
        "ok",
        10,
        [["big", "busy"]],
    )
    assert (first["stream"], first["shadow"], first["conversation"]) == (True, False, b"talk".hex())
    assert "facts" not in first
    assert json.loads(export("--facts").splitlines()[0])["facts"] == {}


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--from", "2026-11-25"), [2, 3, 4, 5]),
        (("--from", "2026-11-24", "--to", "2026-11-25"), [1, 2]),
        (("--key", "ben"), [4, 5]),
        (("--user", "=maria", "--to", "2026-11-23"), [0]),
        (("--user", "nobody"), []),
    ],
)
async def test_which_requests(office: Path, export: Export, options: tuple[str, ...], numbers: list[int]) -> None:
    """Whole days, both included, of a key or a user."""
    found = [int(json.loads(line)["request_id"][4:], 16) for line in export(*options).splitlines()]
    assert found == numbers


async def test_a_table_for_spreadsheets(office: Path, export: Export, tmp_path: Path) -> None:
    """A header, a line a request, and no name is a formula; a file is its owner's alone and is never written over."""
    lines = list(csv.DictReader(io.StringIO(export("--format", "csv"))))
    assert len(lines) == 6
    assert (lines[0]["user"], lines[0]["label"], lines[0]["tags"]) == ("'=maria", "internal", '["a", "b"]')
    file = tmp_path / "out.csv"
    assert export("--format", "csv", "--out", str(file)) == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().splitlines()) == 7
    assert main(["ledger", "export", "--out", str(file)]) == 2
    assert len(file.read_text().splitlines()) == 7


@pytest.mark.parametrize("options", [("--from", "yesterday"), ("--from", "2026-11-25", "--to", "2026-11-24")])
async def test_days_that_are_none(office: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """They are named."""
    assert main(["ledger", "export", *options]) == 2
    assert options[1] in capsys.readouterr().err


async def test_whoever_stops_reading_ends_the_export(office: Path) -> None:
    """As `head` does: nothing is said to be wrong with the ledger, which it is not."""
    assert export_to_nobody() == (0, "")


def export_to_nobody() -> tuple[int, str]:
    """Run the command with a pipe that nobody reads, and return its status and what it said of it."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "ledger", "export", "--facts"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        check=False,
    )
    os.close(writing)
    return done.returncode, done.stderr
