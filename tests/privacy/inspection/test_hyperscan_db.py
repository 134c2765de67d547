"""Compiled patterns are kept for the next start, and read again only where nobody else could have written them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.privacy.inspection import hyperscan_db

EXPRESSIONS = ("PRIVATE KEY", "AKIA[A-Z]{16}", "[0-9]{8}Z")
hyperscan: Any = pytest.importorskip("hyperscan")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """Yield the state directory and the user's cache, with nothing remembered of this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hyperscan_db.open_database.cache_clear()
    hyperscan_db._compiled.cache_clear()
    yield tmp_path / "state", tmp_path / "cache" / "aduana"
    hyperscan_db.open_database.cache_clear()
    hyperscan_db._compiled.cache_clear()


class Counting:
    """Hyperscan that counts what is compiled."""

    def __init__(self) -> None:
        self.compiled = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(hyperscan, name)

    def Database(self, *given: Any) -> Any:
        self.compiled += not given
        return hyperscan.Database(*given)


def compiled(state: Path) -> int:
    """Return how often patterns were compiled by one start."""
    library = Counting()
    hyperscan_db.open_database(library, EXPRESSIONS, state)
    return library.compiled


def test_a_new_state_directory_does_not_compile_again(places: tuple[Path, Path]) -> None:
    """The user's own cache has them."""
    state, _ = places
    assert [compiled(state), compiled(state), compiled(state.with_name("other"))] == [1, 0, 0]


SPOILED: dict[str, Callable[[Path, Path], object]] = {
    "the group can write the file": lambda folder, file: file.chmod(0o664),
    "everybody can write the file": lambda folder, file: file.chmod(0o606),
    "everybody can write in the folder": lambda folder, file: folder.chmod(0o777),
    "the file is a link": lambda folder, file: file.rename(folder / "real") and file.symlink_to(folder / "real"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_what_another_could_have_written_is_not_read(places: tuple[Path, Path], how: str) -> None:
    """The patterns are compiled anew, and nothing is written into a folder that others can write."""
    state, cache = places
    compiled(state)
    (file,) = cache.glob("*.hs")
    SPOILED[how](cache, file)
    before = file.lstat()
    assert compiled(state.with_name("other")) == 1
    if "folder" in how:
        assert file.lstat().st_mtime_ns == before.st_mtime_ns
