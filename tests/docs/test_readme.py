"""What the README shows works as it stands there."""

import re
from pathlib import Path

import pytest

from gateway.cli import COMMANDS, main
from gateway.core.labels import Zone
from gateway.settings import load_settings

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


@pytest.mark.usefixtures("any_port")
def test_the_first_policy_and_the_cloud_target_load_together(monkeypatch, tmp_path, capsys):
    """The two files of the first five minutes load, and `aduana check` proves their claims."""
    policy = next(block for block in BLOCKS if block.startswith("version: 1"))
    config = next(block for block in BLOCKS if block.startswith("policy:"))
    (tmp_path / "my-policy.yaml").write_text(policy)
    (tmp_path / "aduana.yaml").write_text(config)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-whoever-reads-this")
    settings = load_settings()
    assert settings.catalog().targets["big"].zone is Zone.CLOUD
    assert main(["check"]) == 0
    assert "proved" in capsys.readouterr().out


@pytest.mark.parametrize("block", BLOCKS)
def test_every_yaml_block_is_a_configuration_or_a_policy(block, monkeypatch, tmp_path):
    """No block of YAML in the README has a typing error."""
    if block.startswith("version: 1"):
        return
    (tmp_path / "my-policy.yaml").write_text(next(b for b in BLOCKS if b.startswith("version: 1")))
    (tmp_path / "aduana.yaml").write_text(block)
    assert load_settings(tmp_path / "aduana.yaml").targets


@pytest.mark.parametrize("command", re.findall(r"aduana ([a-z]+)", README))
def test_every_command_it_names_is_there(command):
    """Each `aduana …` that the README shows is a command."""
    assert command in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command, capsys):
    """`aduana COMMAND --help` says what it does."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: aduana" in capsys.readouterr().out


@pytest.mark.parametrize("target", re.findall(r"make ([a-z-]+)", README))
def test_every_make_target_it_names_is_there(target):
    """Each `make …` that the README shows is a target."""
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
    assert f"\n{target}:" in makefile


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_somewhere(link):
    """Each file that the README links to exists."""
    assert link.startswith("http") or (Path(__file__).resolve().parents[2] / link).exists()
