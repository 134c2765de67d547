"""`aduana files`: what a wheel brings besides code can be seen and copied."""

from pathlib import Path

from gateway.cli import main
from gateway.policy.load import load_policy_files
from gateway.settings import load_settings


def test_a_copied_policy_works(tmp_path: Path, monkeypatch, capsys) -> None:
    """Who installed a wheel has every ready policy with one command, and can name it in aduana.yaml."""
    monkeypatch.chdir(tmp_path)
    assert main(["files", "policies"]) == 0
    assert "copied" in capsys.readouterr().out
    (tmp_path / "aduana.yaml").write_text("policy: policies/clinic.yaml\n")
    settings = load_settings()
    assert load_policy_files(settings.policy, settings.catalog()).rules


def test_a_file_that_was_changed_is_left(tmp_path: Path, capsys) -> None:
    """Copying again never overwrites, says what it left, and says it by its exit status."""
    mine = tmp_path / "policies" / "home.yaml"
    assert main(["files", "policies", str(mine.parent)]) == 0
    assert main(["files", "policies", str(mine.parent)]) == 0
    mine.write_text("version: 1\n")
    capsys.readouterr()
    assert main(["files", "policies", str(mine.parent)]) == 1
    assert str(mine) in capsys.readouterr().out
    assert mine.read_text() == "version: 1\n"


def test_dashboards_and_units_are_listed(capsys) -> None:
    """The list names the dashboards, the rules and the unit."""
    assert main(["files"]) == 0
    listed = capsys.readouterr().out
    for name in ("dashboards/savings.json", "rules/alerts.yaml", "aduana.service", "clinic.yaml"):
        assert name in listed


def test_a_target_that_cannot_be_written_is_told(tmp_path: Path, capsys) -> None:
    """A file where the folder should be: one sentence, exit status 2."""
    (tmp_path / "taken").write_text("")
    assert main(["files", "grafana", str(tmp_path / "taken")]) == 2
    assert "can't be written" in capsys.readouterr().err
