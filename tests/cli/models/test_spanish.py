"""`aduana models` speaks Spanish where the locale asks for it, every sentence of it."""

from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.models import spanish
from gateway.setup.known_models import known_models
from tests.cli.translated import assert_translated


def test_every_sentence_is_there_in_spanish():
    """What is said in English is said in Spanish, with the same values in it, and nothing else is translated."""
    in_data: set[str] = {word for model in known_models().models for word in (model.cards, model.good_for)}
    assert_translated(Path(spanish.__file__).parent, spanish.SPANISH, in_data)


def test_the_list_in_spanish(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of models reads well in Spanish, in 80 columns."""
    monkeypatch.setenv("LANGUAGE", "es_ES.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["models", "pull"]) == 0
    said = capsys.readouterr().out
    for part in ("Sirve para", "código, documentos, agentes", "Descargar uno"):
        assert part in said
    assert max(map(len, said.splitlines())) <= 80
