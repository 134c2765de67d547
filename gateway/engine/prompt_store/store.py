"""Prompt cache in RAM, and behind it on disk where that is wanted: states of idle sequences by their keys.

Checkpoints of sequences in slots lie here too, in RAM alone, under keys of their own.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gateway.engine.llama.faults import LoadFault
from gateway.engine.prompt_store.directory import erase
from gateway.engine.prompt_store.disk import Disk
from gateway.engine.prompt_store.saved import SavedState, State, pack, unpack
from gateway.engine.settings import EngineSettings


class PromptCacheStore:
    """Store of saved states by their keys. What is where, and for how long, the scheduler decides."""

    def __init__(self, disk: Disk | None = None) -> None:
        self._states: dict[int, SavedState] = {}
        self._checkpoints: dict[int, State] = {}
        self._disk = disk

    def keep_checkpoint(self, key: int, state: State) -> None:
        """Keep a checkpoint."""
        self._checkpoints[key] = state

    def checkpoint(self, key: int) -> State | None:
        """Return a checkpoint; None: it is not there."""
        return self._checkpoints.get(key)

    def forget_checkpoint(self, key: int) -> None:
        """Forget a checkpoint."""
        self._checkpoints.pop(key, None)

    def put(self, key: int, state: SavedState) -> None:
        """Keep a state in RAM."""
        self._states[key] = state

    def get(self, key: int) -> SavedState | None:
        """Return a state that is in RAM; None: it is not there."""
        return self._states.get(key)

    def demote(self, key: int) -> None:
        """Move a state from RAM to disk."""
        state = self._states.pop(key, None)
        if self._disk is not None and state is not None:
            self._disk.put(key, pack(state))

    def drop(self, key: int) -> None:
        """Forget a state, wherever it is."""
        self._states.pop(key, None)
        if self._disk is not None:
            self._disk.drop(key)

    def fetch(self, keys: Iterable[int]) -> None:
        """Begin to read states from disk; `take` returns them then."""
        for key in keys:
            assert self._disk is not None
            self._disk.fetch(key)

    def take(self) -> Sequence[tuple[int, SavedState | None]]:
        """Return the keys and states that were read since the last call; None: it is lost."""
        came = self._disk.take() if self._disk is not None else ()
        return [(one.key, None if one.state is None else unpack(one.state)) for one in came]

    def close(self) -> None:
        """Erase what is on disk."""
        if self._disk is not None:
            self._disk.close()


def open_prompt_store(settings: EngineSettings, wake: Callable[[], None]) -> PromptCacheStore:
    """Open the store as configured. What an earlier worker left on disk is erased.

    Raises:
        LoadFault: the directory can't be used.
    """
    directory = Path(settings.spill_directory)
    try:
        if settings.spill_disk and settings.spill_directory:
            return PromptCacheStore(Disk(directory, settings.spill_disk * 2**20, wake))
        if settings.spill_directory and directory.is_dir():
            erase(directory)
    except OSError as error:
        raise LoadFault(
            f"Conversations can't be kept in {directory}: {error.strerror or error}. Make the state directory "
            "writable for the user that runs the gateway, or set 'spill_disk: 0'.",
            public="Its directory for conversations on disk can't be used; the gateway's log says why.",
        ) from error
    return PromptCacheStore()
