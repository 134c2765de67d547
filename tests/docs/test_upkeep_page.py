"""docs/upkeep.md: its commands are ones that the program has, its units and settings are valid."""

import re
import shlex
from pathlib import Path

from gateway.settings import load_settings
from tests.deploy.conftest import aduana_arguments, tool

__all__ = ["aduana_arguments", "tool"]

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "upkeep.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_its_commands_are_understood(aduana_arguments) -> None:
    """Every `aduana …` in a block, also one that follows sudo or precedes a pipe."""
    found = set()
    for line in "".join(blocks("sh")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["aduana"]:
            end = words.index("|") if "|" in words else len(words)
            found.add(aduana_arguments(words[1:end]).command)
    assert found == {"backup", "restore", "check"}


def test_its_units_are_valid(tmp_path: Path, tool) -> None:
    """The nightly backup's service and timer: systemd has nothing to say."""
    service, timer = blocks("ini")
    (tmp_path / "aduana-backup.service").write_text(service.replace("/opt/aduana/bin/aduana", "/bin/true"))
    (tmp_path / "aduana-backup.timer").write_text(timer)
    done = tool("systemd-analyze", "verify", tmp_path / "aduana-backup.timer", tmp_path / "aduana-backup.service")
    assert (done.returncode, done.stderr) == (0, "")


def test_its_settings_are_valid(tmp_path: Path) -> None:
    """The block for HTTPS is a configuration."""
    (block,) = blocks("yaml")
    (tmp_path / "aduana.yaml").write_text(block)
    tls = load_settings(tmp_path / "aduana.yaml").server.tls
    assert tls is not None
    assert tls.key.name == "privkey.pem"
