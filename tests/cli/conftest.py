"""What the tests of the commands share: a configuration, a filled ledger, and one inspector."""

from pathlib import Path

import pytest

from tests.cli.house import fill
from tests.privacy.conftest import inspector

__all__ = ["inspector"]


@pytest.fixture
async def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a filled state directory, chosen by the environment."""
    directory = tmp_path / "state"
    await fill(directory)
    monkeypatch.setenv("ADUANA_STATE_DIR", str(directory))
    monkeypatch.chdir(tmp_path)
    return directory


CONFIG = """
state_dir: {state}
targets:
  home: {{kind: embedded, model: smollm2, context: 8192, slots: 8}}
  big: {{kind: openai, zone: cloud, base_url: "https://cloud.invalid/v1", model: big-1, context: 400000}}
models:
  auto: {{}}
  local: {{targets: [home]}}
"""


@pytest.fixture
def config(tmp_path, monkeypatch) -> Path:
    """Return a configuration with one target of each zone, in a directory of its own."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "aduana.yaml"
    file.write_text(CONFIG.format(state=tmp_path / "state"))
    return file
