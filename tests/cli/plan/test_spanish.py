"""`aduana plan` speaks Spanish where the locale asks for it, every sentence of it."""

from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.plan import spanish
from tests.cli.translated import assert_translated


def test_every_sentence_is_there_in_spanish():
    """What is said in English is said in Spanish, with the same values in it, and nothing else is translated."""
    in_data: set[str] = set()
    assert_translated(Path(spanish.__file__).parent, spanish.SPANISH, in_data)


def test_a_plan_in_spanish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table, advice and picture are in Spanish, and the table has 80 columns."""
    monkeypatch.setenv("LANGUAGE", "es")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    cards = ("--gpu", "rtx-4090,rtx-4080,rtx-5090", "--tariff", "0.15", "--hardware", "3000")
    assert main(["plan", *cards, "--svg", "plan.svg"]) == 0
    said = capsys.readouterr().out
    for part in ("Cabe", "Amortizado frente a", "RTX 4080: no cabe.", "no medido", "meses"):
        assert part in said
    assert max(map(len, said.splitlines())) <= 80
    assert "Pagado al cabo de tantos meses" in (tmp_path / "plan.svg").read_text(encoding="utf-8")
