"""Prompt cache on disk: states of idle sequences that neither the KV memory nor RAM has room for.

One thread writes and reads; nobody waits for the disk. What is written is encrypted (AES-256-GCM) under a key that only
this process knows: what a crash leaves behind can't be read, not even by a later worker, which erases it. The same
authentication means that a state comes back exactly as it was written, or not at all. Bounded in bytes.
"""

import os
import queue
import shutil
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.engine.prompt_store.directory import SUFFIX, erase, prepare, unlink

State = NDArray[np.uint8]

_BLOCK = 512 * 1024  # encrypted at once; the interpreter's lock is held meanwhile (0.1 ms)
_TAG = 16  # bytes that AES-GCM adds to a block
_SPARE = 2**30  # bytes that stay free: the ledger lives on the same disk


def free_bytes(directory: Path) -> int:
    """Return how many bytes the disk of a directory has left."""
    return shutil.disk_usage(directory).free


class StateFile(msgspec.Struct, frozen=True, kw_only=True):
    """State that is whole on disk. Its blocks were encrypted under the nonces from `nonce` on."""

    path: Path
    size: int
    nonce: int


class FetchedState(msgspec.Struct, frozen=True, kw_only=True):
    """State that was asked for; None: it is lost."""

    key: int
    state: State | None


class Disk:
    """Directory of encrypted states, with the thread that writes and reads them. Bounded by `capacity` bytes."""

    def __init__(
        self,
        directory: Path,
        capacity: int,
        wake: Callable[[], None],
        *,
        pending: int = 256 * 2**20,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Empty the directory and start the thread.

        `wake` is called, from that thread, when something can be taken. `pending`: bytes that may wait to be written;
        `free` says how many a directory's disk has left.

        Raises:
            OSError: the directory can't be made, or is not this user's own.
        """
        self._directory = directory
        self._capacity = capacity
        self._most_pending = pending
        self._wake = wake
        self._free = free
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._unwritten: dict[int, State] = {}  # INVARIANT: a state is here until its file is whole
        self._files: dict[int, StateFile] = {}  # only the thread writes to it
        self._came: deque[FetchedState] = deque()
        self._total = 0
        self._nonce = 0
        self._cipher, self._altered = _cipher()
        prepare(directory)
        self._thread = threading.Thread(target=self._work, name="prompt cache disk", daemon=True)
        self._thread.start()

    def put(self, key: int, state: State) -> None:
        """Write a state, soon. If the disk is too slow or too full for it, it is lost."""
        if key in self._files or key in self._unwritten:
            return  # it came from there
        if sum(len(other) for other in list(self._unwritten.values())) > self._most_pending:
            self._report(key, None)
            return
        self._unwritten[key] = state
        self._jobs.put(lambda: self._write(key))

    def fetch(self, key: int) -> None:
        """Read a state, soon; `take` returns it then. It stays on disk."""
        self._jobs.put(lambda: self._read(key))

    def drop(self, key: int) -> None:
        """Erase a state, soon."""
        self._unwritten.pop(key, None)
        self._jobs.put(lambda: self._erase(key))

    def take(self) -> list[FetchedState]:
        """Return the states that were read or lost since the last call. Cheap."""
        came = []
        while self._came:
            came.append(self._came.popleft())
        return came

    def close(self) -> None:
        """End the thread and erase everything."""
        self._unwritten.clear()
        self._jobs.put(None)
        self._thread.join(2.0)
        erase(self._directory)

    # In the thread

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _report(self, key: int, state: State | None) -> None:
        self._came.append(FetchedState(key=key, state=state))
        self._wake()

    def _write(self, key: int) -> None:
        state = self._unwritten.get(key)
        if state is None:
            return  # dropped meanwhile
        path = self._directory / f"{key}{SUFFIX}"
        size = len(state) + _TAG * -(-len(state) // _BLOCK)
        try:
            if self._total + size > self._capacity or self._free(self._directory) - size < _SPARE:
                raise OSError("no room")
            kept = StateFile(path=path, size=len(state), nonce=self._nonce)
            self._write_blocks(kept, state)
        except OSError as error:
            unlink(path)
            if error.errno is not None:
                print(f"a conversation can't be written to {path}: {error.strerror}", file=sys.stderr)  # noqa: T201
            if self._unwritten.pop(key, None) is not None:
                self._report(key, None)
            return
        self._files[key] = kept
        self._total += size
        self._unwritten.pop(key, None)

    def _write_blocks(self, kept: StateFile, state: State) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(kept.path, flags, 0o600), "wb", buffering=0) as file:
            for start in range(0, len(state), _BLOCK):
                block = self._cipher.encrypt(self._next_nonce(), state[start : start + _BLOCK].data, None)
                if file.write(block) != len(block):
                    raise OSError("no room")

    def _next_nonce(self) -> bytes:
        self._nonce += 1  # INVARIANT: never twice under one key
        return (self._nonce - 1).to_bytes(12, "little")

    def _read(self, key: int) -> None:
        state = self._unwritten.get(key)
        kept = self._files.get(key)
        if state is None and kept is not None:
            try:
                state = self._read_blocks(kept)
            except (OSError, MemoryError, self._altered) as error:
                print(f"a conversation can't be read from {kept.path}: {type(error).__name__}", file=sys.stderr)  # noqa: T201
                self._erase(key)
        self._report(key, state)

    def _read_blocks(self, kept: StateFile) -> State:
        state = np.empty(kept.size, np.uint8)
        with kept.path.open("rb", buffering=0) as file:
            for number, start in enumerate(range(0, kept.size, _BLOCK)):
                end = min(start + _BLOCK, kept.size)
                nonce = (kept.nonce + number).to_bytes(12, "little")
                plain = self._cipher.decrypt(nonce, file.read(end - start + _TAG), None)
                state[start:end] = np.frombuffer(plain, np.uint8)
        return state

    def _erase(self, key: int) -> None:
        kept = self._files.pop(key, None)
        if kept is not None:
            self._total -= kept.size + _TAG * -(-kept.size // _BLOCK)
            unlink(kept.path)


def _cipher() -> tuple[Any, type[Exception]]:
    # Imported only here: a worker that writes nothing to disk needs none of it.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(AESGCM.generate_key(256)), InvalidTag
