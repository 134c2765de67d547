"""What a person reads in a terminal of 80 columns, or of 40: no word is broken or cut."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from gateway.cli.terminal import show_sentence, show_table, sparklines
from tests.cli.init.terminal import Terminal, command, environment

WORDS = ["anonymous", "long prompts go out because the card is small", "big-and-with-a-long-name", "1", ""]


def printed(table: Table, *others: Table, width: int) -> str:
    out = io.StringIO()
    show_table(Console(file=out, width=width, highlight=False), table, *others)
    return out.getvalue()


def made(*columns: str, cells: list[str]) -> Table:
    table = Table(*columns, title="Title")
    table.add_row(*cells)
    return table


@given(
    cells=st.lists(st.sampled_from(WORDS), min_size=3, max_size=6),
    width=st.integers(40, 120),
)
def test_no_word_is_broken_at_any_width(cells: list[str], width: int) -> None:
    """Every word of every cell stands whole in one line, and no line is longer than the terminal."""
    heads = [f"column{number}" for number in range(len(cells))]
    text = printed(made(*heads, cells=["first", *cells[1:]]), width=width)
    assert all(len(line) <= width for line in text.splitlines())
    words = text.replace("│", " ").split()
    assert all(word in words for cell in cells[1:] for word in cell.split())


def test_a_narrow_terminal_gets_fewer_columns_then_a_list() -> None:
    """The first table that fits is printed; where none does, each row is a block that names its columns."""
    wide = made("name", "a-long-heading", "another-heading", cells=["app", "1", "2"])
    narrow = made("name", "a-long-heading", cells=["app", "1"])
    assert "another-heading" in printed(wide, narrow, width=60)
    assert "another-heading" not in printed(wide, narrow, width=30)
    listed = printed(wide, narrow, width=20)
    assert "┃" not in listed
    assert "a-long-heading  1" in listed


def test_a_sentence_is_indented_on_a_terminal_and_whole_in_a_pipe() -> None:
    """People read it beside its sign; whoever searches a file finds it in one line."""
    sentence = "some requests find no target although all are up"
    out = io.StringIO()
    show_sentence(Console(file=out, width=40, force_terminal=True, color_system=None), "  note  ", sentence)
    lines = out.getvalue().splitlines()
    assert len(lines) > 1
    assert all(line.startswith("        ") for line in lines[1:])
    out = io.StringIO()
    show_sentence(Console(file=out, width=40), "  [red]note[/]  ", sentence)
    assert out.getvalue() == f"  note  {sentence}\n"


@given(
    series=st.lists(st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=7, max_size=7), min_size=1, max_size=3),
    width=st.integers(1, 80),
)
def test_bars_have_one_scale_and_one_length(series: list[list[float]], width: int) -> None:
    """All rows are equally long and never longer than asked; only the highest value of all is full."""
    rows = sparklines(series, width)
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) <= max(width, 1)
    if len(rows[0]) == 7 and max(map(max, series)) > 0:
        top = max(map(max, series))
        assert [row.count("█") > 0 for row in rows][[max(values) for values in series].index(top)]


@pytest.mark.parametrize(
    "words", [["check"], ["explain", "request.json"], ["prices"], ["check", "--config", "no" * 20]]
)
def test_commands_at_80_columns(tmp_path, words: list[str]) -> None:
    """On a real terminal of 80 columns no line is longer, so that the terminal breaks no word."""
    (tmp_path / "aduana.yaml").write_text(
        "state_dir: state\ntargets:\n"
        "  a-target-with-a-long-name: {kind: openai, zone: local, base_url: 'http://127.0.0.1:9/v1', model: small}\n"
        "models: {auto: {}}\npolicy: [policy.yaml]\n"
    )
    (tmp_path / "policy.yaml").write_text(
        "version: 1\nlabels: {tags: {public: public}}\nrules:\n"
        "  - {name: whoever is anonymous stays at home whatever they say, when: {key: anonymous}, only: [local]}\n"
        "otherwise: {prefer: [local]}\n"
    )
    (tmp_path / "request.json").write_text('{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}')
    with Terminal(command(*words), environment(tmp_path / "home"), tmp_path) as terminal:
        terminal.finish()
        screen = terminal.shown
    assert screen.strip()
    assert [line for line in screen.splitlines() if len(line.rstrip()) > 80] == []
    if "explain" in words:
        assert "anonymous" in screen.split("what it did", 1)[1].replace("│", " ").split()
