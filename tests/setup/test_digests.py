"""Digests that are remembered: a file is read whole once, and again when it has changed."""

import hashlib
import os
from pathlib import Path

from gateway.setup.digests import Digests


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """Another process knows the digest without reading; of a file that has changed nothing is known."""
    model, memory = tmp_path / "model", tmp_path / "cache" / "digests.json"
    model.write_bytes(b"weights" * 1000)
    read: list[int] = []
    digest = Digests(memory).of(model, read.append)
    assert digest == hashlib.sha256(b"weights" * 1000).hexdigest()
    assert sum(read) == 7000
    read.clear()
    assert Digests(memory).of(model, read.append) == digest
    assert not read
    os.utime(model, ns=(1, 1))
    assert Digests(memory).known(model) == ""


def test_a_memory_that_can_not_be_kept(tmp_path: Path) -> None:
    """Where the memory is broken or can't be written, files are read, and that is all."""
    model = tmp_path / "model"
    model.write_bytes(b"weights")
    (tmp_path / "broken").write_text("{")
    for memory in (tmp_path / "broken", model / "under" / "a file"):
        assert Digests(memory).of(model) == hashlib.sha256(b"weights").hexdigest()
