"""A backup of a state in use is whole, holds what its owner expects and no more, and comes back or changes nothing."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.app.checkpoints.key import load_signer
from gateway.app.state.losses import losses
from gateway.app.state.memory import StateMemory
from gateway.cli import main
from gateway.ledger import Ledger, LedgerSettings, Reader
from gateway.ledger.reading.examination import examine
from gateway.ledger.schema import APPLICATION_ID, MIGRATIONS
from gateway.stored.contract import Row
from gateway.stored.database import Database
from tests.observe.conftest import make_receipt, make_settlement

CONFIG = """
state_dir: {state}
policy: policies/own.yaml
keys: {{laptop: {{secret: "file:{folder}/laptop.key"}}}}
targets: {{den: {{kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}}}}
inspection: {{lists: {{clients: {folder}/elsewhere/clients.txt}}}}
"""
BASE = "version: 1\nlabels: {default: internal}\notherwise: {prefer: [den]}\n"


class House:
    """A state that a gateway has open, with its configuration."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.state = folder / "state"
        self.config = self.home / "aduana.yaml"
        (self.home / "policies").mkdir(parents=True)
        (folder / "elsewhere").mkdir()
        self.config.write_text(CONFIG.format(state=self.state, folder=folder))
        (self.home / "policies" / "own.yaml").write_text(BASE)
        (folder / "elsewhere" / "clients.txt").write_text("Ana\n")
        (folder / "laptop.key").write_text("a-key-of-somebody")
        self.ledger = Ledger(LedgerSettings(directory=self.state))
        self.memory = StateMemory(self.state)

    async def open(self) -> None:
        found = self.memory.look()
        await self.ledger.open()
        await self.memory.open(found, self.ledger, accept_loss=False)
        load_signer(self.state)

    async def ask(self, name: str) -> None:
        await self.ledger.receive(make_receipt(name), None)
        await self.ledger.settle(make_settlement(name))

    async def close(self) -> None:
        self.memory.close()
        await self.ledger.close()

    def store(self) -> None:
        database = Database(self.state / "responses.sqlite3", most_bytes=2**20)
        database.write((Row(id="resp_1", owner="laptop", seen=1.0, sealed=b"SEALED-TEXT"),))
        database.close()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Return a state in use, with three requests in its ledger."""
    house = House(tmp_path)
    await house.open()
    for name in ("a", "b", "c"):
        await house.ask(name)
    yield house
    with contextlib.suppress(Exception):
        await house.close()


def backup(house: House, *options: str, name: str = "b.tar.gz") -> Path:
    """Make a backup beside the state, and return it."""
    file = house.state.parent / name
    assert main(["backup", "--config", str(house.config), "--to", str(file), *options]) == 0
    return file


def members(file: Path) -> dict[str, bytes]:
    """Return the files in an archive."""
    with tarfile.open(file) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def packed(file: Path, content: dict[str, bytes]) -> Path:
    """Write an archive with these files."""
    with tarfile.open(file, "w:gz") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return file


async def is_whole(state: Path, requests: int) -> None:
    """Assert that a gateway would start with all that it had."""
    memory, ledger = StateMemory(state), Ledger(LedgerSettings(directory=state))
    found = memory.look()
    await ledger.open()
    try:
        assert not losses(found, await ledger.identity())
        assert len(Reader(state).recent(100)) == requests
    finally:
        await ledger.close()


async def test_what_comes_back_is_what_was_there(house: House, tmp_path: Path) -> None:
    """Made while the ledger is written to, put back after everything was lost: the same key, every request."""
    file = backup(house)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await house.ask("after")
    await house.close()
    shutil.rmtree(house.state)
    assert main(["restore", "--config", str(house.config), str(file)]) == 0
    names = {"ledger.lock", "ledger.sqlite3", "taint.key", "checkpoint.key", "state.json"}
    assert {path.name for path in house.state.iterdir()} == names
    await is_whole(house.state, 3)


async def test_it_holds_what_its_owner_expects(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Policies, lists and the state; what clients asked to keep and keys only where that was said."""
    house.store()
    plain = members(backup(house))
    told = capsys.readouterr().out
    assert set(plain) == {
        "manifest.json",
        "state/ledger.sqlite3",
        "state/taint.key",
        "state/checkpoint.key",
        "state/state.json",
        "configuration/aduana.yaml",
        "configuration/policies/own.yaml",
        "configuration/elsewhere/2-clients.txt",
    }
    assert "--with-stored" in told
    assert "1 file with keys" in told
    whole = members(backup(house, "--with-stored", "--with-secrets", name="whole.tar.gz"))
    assert set(whole) - set(plain) == {"state/responses.sqlite3", "secrets/0-laptop.key"}
    assert b"SEALED-TEXT" in whole["state/responses.sqlite3"]
    assert whole["secrets/0-laptop.key"] == b"a-key-of-somebody"
    assert not any(b"a-key-of-somebody" in content for content in plain.values())


async def test_a_state_that_is_there_stays(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """While a gateway runs nothing is restored; over a state only by force, which keeps it beside."""
    file = backup(house)
    restore = ["restore", "--config", str(house.config), str(file)]
    assert main(restore) == 2
    assert "Another gateway" in capsys.readouterr().err
    await house.ask("later")
    await house.close()
    house.store()
    before = {path.name: path.read_bytes() for path in house.state.iterdir()}
    assert main(restore) == 2
    assert "--into" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in house.state.iterdir()} == before
    assert main([*restore, "--force", "--json"]) == 0
    aside = Path(json.loads(capsys.readouterr().out)["aside"])
    assert (aside / "ledger.sqlite3").read_bytes() == before["ledger.sqlite3"]
    assert (house.state / "responses.sqlite3").exists()  # the backup has none, and the key to it is the same
    await is_whole(house.state, 3)


async def test_unpacked_beside_it_is_a_configuration_that_loads(house: House, tmp_path: Path) -> None:
    """`--into` gives the state and the configuration with its policies; a folder with something in it is left."""
    file = backup(house)
    assert main(["restore", str(file), "--into", str(tmp_path / "new")]) == 0
    await is_whole(tmp_path / "new" / "state", 3)
    assert (tmp_path / "new" / "configuration" / "policies" / "own.yaml").read_text() == BASE
    assert main(["restore", str(file), "--into", str(tmp_path / "new")]) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write into another user's directory")
async def test_another_users_state_is_not_written(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """What root restored the gateway's user could not read: root is told as whom to run it."""
    file = backup(house)
    await house.close()
    os.chown(house.state, 1, 1)
    assert main(["restore", "--config", str(house.config), str(file), "--force"]) == 2
    assert "sudo -u daemon" in capsys.readouterr().err


@pytest.mark.parametrize("moved", [0, 1, 2])
async def test_a_restore_that_is_cut_off_is_known_to_have_lost_something(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], moved: int
) -> None:
    """Wherever it was cut off: the gateway does not take the directory for a new one, and a second restore mends it."""
    file = backup(house)
    await house.close()
    rename, left = Path.rename, [moved]

    def until_power_is_gone(self: Path, target: Path) -> Path:
        if self.parent.name == "state" and self.parent != house.state:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(5, "power")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", until_power_is_gone)
    restore = ["restore", "--config", str(house.config), str(file), "--force"]
    assert main(restore) == 2
    assert "replaced-" in capsys.readouterr().err
    monkeypatch.undo()
    memory, ledger = StateMemory(house.state), Ledger(LedgerSettings(directory=house.state))
    found = memory.look()
    if moved < 2:
        await ledger.open()
        assert losses(found, await ledger.identity())
        await ledger.close()
    assert main(restore) == 0
    await is_whole(house.state, 3)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def _flipped(file: Path) -> None:
    content = members(file)
    content["state/taint.key"] = bytes(32)
    packed(file, content)


def _extra(file: Path) -> None:
    packed(file, members(file) | {"state/../../evil": b"x"})


def _lacking(file: Path) -> None:
    packed(file, {name: data for name, data in members(file).items() if name != "state/ledger.sqlite3"})


def _outside(file: Path) -> None:
    content = members(file)
    listed = content["manifest.json"].replace(b'"state/taint.key"', b'"state/../../taint.key"')
    packed(file, content | {"manifest.json": listed})


def _link(file: Path) -> None:
    with tarfile.open(file, "w:gz") as archive:
        member = tarfile.TarInfo("manifest.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)


def _other(file: Path) -> None:
    file.write_bytes(b"no archive at all")


def _newer(file: Path) -> None:
    content = members(file)
    packed(file, content | {"manifest.json": content["manifest.json"].replace(b'"format": 1', b'"format": 9')})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_cut, "damaged, cut off"),
        (_flipped, "state/taint.key is not what was put into it"),
        (_extra, "of which its list does not speak"),
        (_lacking, "it lacks state/ledger.sqlite3"),
        (_outside, "wants to write where it may not"),
        (_link, "is not a file"),
        (_other, "no backup of Aduana"),
        (_newer, "made by a newer Aduana"),
    ],
)
async def test_a_spoilt_backup_changes_nothing(
    house: House, spoil: Callable[[Path], None], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused by `--check` and before anything is put aside, with a sentence."""
    file = backup(house)
    await house.close()
    spoil(file)
    before = {path.name: path.read_bytes() for path in house.state.iterdir()}
    for way in ("--check", "--force"):
        assert main(["restore", "--config", str(house.config), str(file), way]) == 2
        assert says in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in house.state.iterdir()} == before
    assert not (house.state.parent / "evil").exists()


async def test_a_ledger_of_a_newer_version_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """A backup that this version could not use is not put in place."""
    await house.close()
    with closing(sqlite3.connect(house.state / "ledger.sqlite3")) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    assert main(["backup", "--config", str(house.config), "--to", str(house.state.parent / "n.tar.gz")]) == 2
    assert "newer Aduana (schema 99" in capsys.readouterr().err
    assert not list(house.state.parent.glob("*n.tar.gz*"))


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
async def test_a_backup_of_any_earlier_schema_can_be_used(tmp_path: Path, version: int) -> None:
    """The state of every schema there ever was is copied before an update, comes back, and becomes a current one."""
    house = House(tmp_path)
    house.state.mkdir()
    connection = sqlite3.connect(house.state / "ledger.sqlite3")
    steps = "".join(MIGRATIONS[:version])
    connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; {steps} PRAGMA user_version = {version};")
    columns = "seq, request_id, received_at, dialect, endpoint, key, model, stream, label, label_source, tags"
    connection.execute(
        f"INSERT INTO receipts ({columns}, categories, doubts, rule, permitted, policy_digest, facts) "
        "VALUES (1, 'old', 1.0, 'openai', 'chat', 'k', 'auto', 0, 0, 'tag', '[]', '[]', '[]', '-', '[]', 'd', x'7b7d')"
    )
    connection.commit()
    connection.close()
    (house.state / "taint.key").write_bytes(b"k" * 32)
    file = backup(house)
    shutil.rmtree(house.state)
    assert main(["restore", "--config", str(house.config), str(file)]) == 0
    assert (house.state / "taint.key").read_bytes() == b"k" * 32
    found = examine(house.state)
    assert found is not None
    assert (found.version, found.requests) == (version, 1)
    await is_whole(house.state, 1)


async def test_a_state_that_has_lost_something_is_not_backed_up(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy without its key would push out a good one: it is refused, and nothing is left behind."""
    await house.close()
    (house.state / "taint.key").write_bytes(bytes(32))
    assert main(["backup", "--config", str(house.config), "--to", str(house.state.parent / "n.tar.gz")]) == 2
    assert "taint.key" in capsys.readouterr().err
    assert not list(house.state.parent.glob("*n.tar.gz*"))
    assert not list(house.state.glob("backup-*"))


async def test_no_file_is_overwritten(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even by a second backup; into a folder each gets a name of its own."""
    file = backup(house)
    before = file.read_bytes()
    assert main(["backup", "--config", str(house.config), "--to", str(file)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert file.read_bytes() == before
    assert main(["backup", "--config", str(house.config), "--to", str(file.parent)]) == 0
    assert len(list(file.parent.glob("aduana-backup-*.tar.gz"))) == 1


async def test_where_no_gateway_has_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to back up, which is said; no directory is made."""
    config = tmp_path / "aduana.yaml"
    config.write_text(f"state_dir: {tmp_path}/none\n")
    assert main(["backup", "--config", str(config), "--to", str(tmp_path / "b")]) == 2
    assert "nothing to back up" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
