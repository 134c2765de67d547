"""States on disk: they come back as they were or not at all, nobody else can read them, and they stay within bounds."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.engine.llama.faults import LoadFault
from gateway.engine.prompt_store.disk import Disk, FetchedState, State
from gateway.engine.prompt_store.store import open_prompt_store
from gateway.engine.settings import EngineSettings

MEGABYTE = 2**20


class Room:
    """A disk and the wakes that it sent."""

    def __init__(self, directory: Path, capacity: int = 64 * MEGABYTE, **more: Any) -> None:
        self._wakes: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.go = threading.Event()  # what holds the disk's thread up, when it is cleared
        self.go.set()
        self.disk = Disk(directory, capacity, self._wake, **more)

    def _wake(self) -> None:
        self._wakes.put(None)
        if threading.current_thread() is not threading.main_thread():
            self.go.wait(30)

    def came(self) -> FetchedState:
        """The next state that comes."""
        self._wakes.get(timeout=30)
        (came,) = self.disk.take()
        return came

    def settle(self) -> None:
        """Until all that was asked for is done."""
        self.disk.fetch(-1)
        assert self.came() == FetchedState(key=-1, state=None)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Room for 64 MB."""
    room = Room(tmp_path / "states")
    yield room
    room.disk.close()


def state_of(size: int, seed: int = 1) -> State:
    """Bytes that nothing compresses."""
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


@pytest.mark.parametrize("size", [1, 1000, 512 * 1024, 512 * 1024 + 1, 3 * MEGABYTE])
def test_a_state_comes_back_as_it_was(size: int, room: Room) -> None:
    """A state of any length comes back as it was written, twice, for reading does not remove it."""
    room.disk.put(7, state_of(size))
    room.settle()
    for _ in range(2):
        room.disk.fetch(7)
        came = room.came()
        assert came.key == 7
        assert came.state is not None
        assert np.array_equal(came.state, state_of(size))


def test_files_are_this_users_alone_and_unreadable(room: Room, tmp_path: Path) -> None:
    """Directory and file have modes 0700 and 0600, and nothing of the state can be found in the file."""
    room.disk.put(1, np.frombuffer(b"the patient's name " * 5000, np.uint8))
    room.settle()
    (path,) = (tmp_path / "states").iterdir()
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert b"patient" not in path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.with_name("2.kv").read_bytes()),
    ],
    ids=["cut", "empty", "changed", "gone", "swapped"],
)
def test_a_damaged_file_is_no_state(damage, room: Room, tmp_path: Path) -> None:
    """A state whose file was damaged counts as lost, and other states are not affected."""
    room.disk.put(1, state_of(5000))
    room.disk.put(2, state_of(5000, seed=2))
    room.settle()
    damage(tmp_path / "states" / "1.kv")
    room.disk.fetch(1)
    assert room.came() == FetchedState(key=1, state=None)
    room.disk.fetch(2)
    assert np.array_equal(room.came().state, state_of(5000, seed=2))


def test_what_is_too_much_is_lost(tmp_path: Path) -> None:
    """States beyond the bound in bytes are lost, and what was dropped makes room again."""
    room = Room(tmp_path / "states", 10_000)
    room.disk.put(1, state_of(6000))
    room.disk.put(2, state_of(6000))
    assert room.came() == FetchedState(key=2, state=None)
    room.disk.drop(1)
    room.disk.put(3, state_of(6000))
    room.settle()
    assert [path.name for path in (tmp_path / "states").iterdir()] == ["3.kv"]
    room.disk.close()
    assert list((tmp_path / "states").iterdir()) == []


def test_a_slow_disk_costs_memory_within_bounds(tmp_path: Path) -> None:
    """While the thread is held up, states wait in RAM; beyond the bound they are lost. A waiting one can be used."""
    room = Room(tmp_path / "states", pending=5000)
    room.go.clear()
    room.settle()
    for key in (1, 2):
        room.disk.put(key, state_of(4000))
    room.disk.put(3, state_of(10))
    assert room.came() == FetchedState(key=3, state=None)
    room.disk.drop(1)
    room.go.set()
    room.settle()
    room.disk.fetch(2)
    assert room.came().state is not None
    assert not (tmp_path / "states" / "1.kv").exists()
    room.disk.close()


def test_a_full_disk_loses_the_state(tmp_path: Path) -> None:
    """A state is not written where it would leave less than a gigabyte free, which is for the ledger."""
    room = Room(tmp_path / "states", free=lambda _: 2**30 + 100)
    room.disk.put(1, state_of(500))
    assert room.came() == FetchedState(key=1, state=None)
    room.disk.close()


@pytest.mark.parametrize("megabytes", [0, 1])
def test_what_a_crash_left_is_erased_at_start(megabytes: int, tmp_path: Path) -> None:
    """What a crash left is erased at start, also where nothing is kept on disk any more."""
    (tmp_path / "12.kv").write_bytes(b"left")
    (tmp_path / "other.txt").write_bytes(b"not ours")
    settings = EngineSettings(model="m.gguf", spill_disk=megabytes, spill_directory=str(tmp_path))
    open_prompt_store(settings, lambda: None).close()
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_a_directory_that_can_not_be_used(tmp_path: Path) -> None:
    """A directory that can't be used is named, with what to do; a link to elsewhere is not followed."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        settings = EngineSettings(model="m.gguf", spill_disk=1, spill_directory=str(tmp_path / name))
        with pytest.raises(LoadFault, match="spill_disk: 0"):
            open_prompt_store(settings, lambda: None)
