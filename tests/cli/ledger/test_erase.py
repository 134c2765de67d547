"""Nobody's records go by accident, and what is told is what goes."""

import json
from pathlib import Path

import pytest

from gateway.app.state.stores import homes
from gateway.cli import main
from gateway.cli.ledger.place import reading
from gateway.settings import load_settings
from gateway.stored import Home
from gateway.stored.contract import Row
from gateway.stored.database import Database
from tests.cli.ledger.conftest import NUMBERS, TALK


def left(state: Path) -> tuple[set[int], set[str]]:
    """Return the numbers of the requests that are left, and the ids of what is stored."""
    with reading(load_settings(None)) as ledger:
        requests = {int(name[4:], 16) for (name,) in ledger.execute("SELECT request_id FROM receipts")}
    return requests, {name for home in homes(load_settings(None), "responses") for name in ids_in(home)}


def ids_in(home: Home) -> set[str]:
    """Return the ids of all records in a place."""
    database = home.open()
    found = {name for owner in database.owners() for name in database.all_ids(owner)}
    database.close()
    return found


RESPONSES = {number: f"resp_{NUMBERS[number]}" for number in (1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("options", "requests", "stored"),
    [
        (("--key", "ana"), {4, 5}, {RESPONSES[4]}),
        (("--key", "ben"), {0, 1, 2, 3}, {RESPONSES[1], RESPONSES[2], RESPONSES[3], TALK}),
        (("--user", "=maria"), {4, 5}, {RESPONSES[4]}),
        # A request leads to its conversation, and what is stored of that to what continues it.
        (("--conversation", f"req_{NUMBERS[0]}"), {3, 4, 5}, {RESPONSES[3], RESPONSES[4], TALK}),
        (("--conversation", f"chatcmpl-{NUMBERS[5]}"), {0, 1, 2, 3, 4}, {*RESPONSES.values(), TALK}),
        (("--conversation", TALK), {0, 1, 2, 4, 5}, {RESPONSES[1], RESPONSES[2], RESPONSES[4]}),
    ],
)
async def test_what_is_erased(office: Path, options: tuple[str, ...], requests: set[int], stored: set[str]) -> None:
    """By key, by user, and by conversation from whichever of its ids: requests, and what is stored of them."""
    assert main(["ledger", "erase", *options, "--dry-run"]) == 0
    assert left(office) == ({0, 1, 2, 3, 4, 5}, {*RESPONSES.values(), TALK})
    assert main(["ledger", "erase", *options, "--yes"]) == 0
    assert left(office) == (requests, stored)
    assert main(["ledger", "verify"]) == 0


def files(state: Path) -> None:
    """Store a file and its piece for one key."""
    places = homes(load_settings(None), "batches")
    database = places[0].open() if places else Database(state / "batches.sqlite3", most_bytes=2**20)
    database.write(tuple(Row(id=name, owner="ben", seen=1.0, sealed=b"x") for name in ("file-1", "file-1/0")))
    database.close()


async def test_the_result_for_programs(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts of everything, and whether it is complete; a second time there is nothing."""
    files(office)
    assert main(["ledger", "erase", "--key", "ben", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["what"], told["requests"], told["responses"], told["files"]) == ("key", 2, 1, 1)
    assert (told["erased"], told["complete"], told["running"]) == (True, True, 0)
    assert main(["ledger", "erase", "--key", "ben", "--yes", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["requests"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Say whose records go"),
        (("--key", "ana"), "there is nobody to ask"),
        (("--conversation", "12", "--yes"), "is no id"),
        (("--conversation", TALK, "--key", "ana", "--yes"), "stands alone"),
    ],
)
async def test_nothing_goes_by_accident(
    office: Path, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is named, nobody can be asked, an id that is none: a sentence, status 2, and everything is there."""
    before = left(office)
    assert main(["ledger", "erase", *options]) == 2
    assert said in capsys.readouterr().err
    assert left(office) == before


async def test_a_user_has_no_files(office: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Stored files are a key's: whoever erases a user is told so."""
    files(office)
    assert main(["ledger", "erase", "--user", "=maria", "--yes"]) == 0
    assert "erased with --key" in capsys.readouterr().out
