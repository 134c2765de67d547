"""Nobody else on the machine reads what the gateway keeps."""

import os
import stat

import pytest

from gateway.app.state.directory import close_to_others
from gateway.app.wiring import running
from gateway.privacy import InspectionSettings, Inspector
from gateway.settings import Settings


def mode(path) -> int:
    """Return a path's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_umask():
    """Give new files and directories every permission that their makers don't take away."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_compiled_patterns_are_the_owners_alone(tmp_path, open_umask):
    """Compiled patterns, which say what is sensitive here, are kept for their owner alone."""
    pytest.importorskip("hyperscan")
    Inspector(InspectionSettings(), cache_dir=tmp_path / "state")
    assert mode(tmp_path / "state") == 0o700
    files = list((tmp_path / "state").iterdir())
    assert [(file.suffix, mode(file)) for file in files] == [(".hs", 0o600)]


async def test_a_running_gateway_keeps_nothing_that_others_can_read(tmp_path, open_umask):
    """Every file of a running gateway is 0600 and every directory 0700, also those of an older version."""
    state = tmp_path / "state"
    (state / "engine").mkdir(parents=True)
    (state / "patterns-old.hs").write_bytes(b"")
    (state / "mine.txt").write_text("a file of the user's own")
    target = {"kind": "openai", "zone": "local", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    async with running(Settings(server={"port": 0}, state_dir=state, targets={"den": target})):
        found = {path.relative_to(state).as_posix(): mode(path) for path in state.rglob("*") if path.name != "mine.txt"}
        found[""] = mode(state)
        wanted = {name: 0o700 if (state / name).is_dir() else 0o600 for name in found}
        assert found == wanted
        assert {"patterns-old.hs", "ledger.sqlite3", "taint.key"} <= set(found)
    assert mode(state / "mine.txt") == 0o666


def test_links_are_not_followed(tmp_path):
    """A link in the state directory does not lead to a change elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    elsewhere.chmod(0o644)
    state = tmp_path / "state"
    state.mkdir()
    (state / "taint.key").symlink_to(elsewhere)
    close_to_others(state)
    assert mode(elsewhere) == 0o644
