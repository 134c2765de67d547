"""`aduana plan` as a person uses it: the command, its table, its picture and its faults."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.cli import main
from tests.standins.hub import tiny_gguf

ASKED = ("plan", "--gpu", "rtx-4090", "--model", "qwen3.6-27b-q4", "--tokens-per-day", "2M", "--tariff", "0.15")


@pytest.fixture(autouse=True)
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use an ordinary terminal and an empty model directory."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_the_table_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it fits, its speed, costs and payback stand in 80 columns, and that nothing was measured."""
    assert main([*ASKED, "--hardware", "3000", "--currency", "EUR", "--usd-rate", "0.86"]) == 0
    said = capsys.readouterr().out
    for part in ("Answer tokens/s", "not measured", "Paid back against", "EUR", "openrouter", "RTX 4090"):
        assert part in said
    assert max(map(len, said.splitlines())) <= 80


def test_many_cards_stand_side_by_side_without_broken_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """Six cards are shown in as many tables as the width wants, every cell in one line."""
    cards = "rtx-3060-12gb,rtx-4080,rtx-3090,rtx-5090,2x rtx-3090,dgx-spark"
    assert main(["plan", "--gpu", cards, "--tariff", "0.2", "--hardware", "2000"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert said.count("Requests x window") == 2
    rows = [line for line in said.splitlines() if line.startswith("  roof")]
    assert [len(row.split()) for row in rows] == [5, 3]
    assert "2 x RTX" in said
    assert "does not fit" in said


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same as data: a range for each estimate, and months by cloud."""
    assert main([*ASKED, "--hardware", "3000", "--cloud", "claude-sonnet-4-5", "--cloud", "no-such", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    (card,) = plan["cards"]
    assert plan["measured"] is False
    assert card["tokens_per_second"]["answer"]["low"] < card["tokens_per_second"]["answer"]["expected"]
    assert card["months_until_paid_back"].keys() == {"claude-sonnet-4-5"}
    assert 0 < card["months_until_paid_back"]["claude-sonnet-4-5"] < 60
    assert [cloud["million"] is None for cloud in plan["clouds"]] == [False, True]


def test_the_picture_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The SVG is whole XML with a title, a bar for each card that fits, and the clouds' names."""
    file = tmp_path / "plan.svg"
    assert main([*ASKED, "--gpu", "rtx-5090,rtx-4080", "--hardware", "3000", "--svg", str(file)]) == 0
    assert str(file) in capsys.readouterr().out.replace("\n", "")
    root = ElementTree.parse(file).getroot()
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    bars = [element for element in root.iter() if element.tag.endswith("rect")]
    assert len(bars) == 1 + 2
    assert any("does not fit" in text for text in texts)
    assert "qwen3.6-27b" in texts


def test_a_model_that_fits_nowhere_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 1, and what to turn down."""
    assert main(["plan", "--gpu", "rtx-4080", "--model", "gpt-oss-120b"]) == 1
    assert "would fit" in capsys.readouterr().out


def test_a_file_can_be_planned_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A GGUF file of one's own is read for its size and shape."""
    file = tmp_path / "mine-Q8_0.gguf"
    file.write_bytes(tiny_gguf(size=3_000_000))
    assert main(["plan", "--gpu", "rtx-4090", "--model", str(file)]) == 0
    assert "mine-Q8_0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--gpu", "rtx-4091"], "rtx-4090"),
        (["--gpu", "rtx-4090", "--model", "qwen3.6-72b-q4"], "qwen3.6-27b-q4"),
        (["--gpu", "rtx-4090", "--tokens-per-day", "many"], "2M"),
        (["--gpu", "rtx-4090", "--tokens-per-day", "0"], "2M"),
        (["--gpu", "rtx-4090", "--prompt-share", "75"], "between 0 and 1"),
        (["--gpu", "rtx-4090", "--currency", "EUR", "--tariff", "0.2"], "--usd-rate"),
        (["--gpu", "rtx-4090,rtx-5090,rtx-4080", "--hardware", "1,2"], "one for each card"),
        (["--gpu", "rtx-4090", "--hours-on", "25"], "24 hours"),
        (["--gpu", "rtx-4090", "--tariff=-1"], "kilowatt-hour"),
        (["--gpu", "rtx-4090", "--svg", "/nowhere/plan.svg"], "can't be written"),
    ],
)
def test_faults_say_how_to_write_it(options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each option that can't be used is named, with a way to write it, and status 2."""
    assert main(["plan", *options]) == 2
    assert sentence in capsys.readouterr().err


def test_both_lists_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Cards with their bandwidth, models with what is read for a token."""
    assert main(["plan", "--list"]) == 0
    said = capsys.readouterr().out
    assert "1,008 GB/s" in said
    assert "gpt-oss-20b" in said
