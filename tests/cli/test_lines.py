"""Sentences of commands: on a terminal no word is broken, in a pipe nothing is changed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import main
from gateway.cli.lines import print_line, wrapped
from tests.cli.init.terminal import Terminal, command, environment


@given(words=st.lists(st.text("abc-/.", min_size=1, max_size=30), min_size=1, max_size=30), width=st.integers(30, 90))
def test_no_word_is_broken(words: list[str], width: int) -> None:
    """All words are there, whole and in order, and no line is longer than the terminal."""
    lines = wrapped("aduana: " + " ".join(words), width).split("\n")
    assert " ".join(lines).split() == ["aduana:", *words]
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("  note     " + "word " * 20, "           word"),
        ("  " + "word " * 20, "  word"),
        ("word " * 20, "word"),
    ],
)
def test_further_lines_stand_below_the_first_word(text: str, second: str) -> None:
    """What stands behind a sign stays in its column."""
    assert wrapped(text, 40).split("\n")[1].startswith(second)


def test_a_pipe_gets_the_sentence_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever searches a file finds a sentence in one line, however long it is."""
    print_line("word " * 60)
    print_line("aduana: " + "x " * 60, to_errors=True)
    out, err = capsys.readouterr()
    assert (out, err) == ("word " * 60 + "\n", "aduana: " + "x " * 60 + "\n")


def test_an_error_fits_the_terminal(tmp_path) -> None:
    """A path of half a line is told whole, in a line of its own."""
    name = "nowhere/" * 6 + "aduana.yaml"
    with Terminal(command("check", "--config", name), environment(tmp_path / "home"), tmp_path) as terminal:
        assert terminal.finish() == 2
    assert name in terminal.shown
    assert all(len(line) <= 80 for line in terminal.shown.splitlines())


@pytest.mark.parametrize(("word", "told"), [("conect", "'connect'"), ("savngs", "'savings'"), ("zzz", "aduana --help")])
def test_a_mistyped_command_gets_the_nearest(word: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Not the whole list of commands, but those that were probably meant."""
    assert main([word]) == 2
    err = capsys.readouterr().err
    assert f"there is no command '{word}'" in err
    assert told in err
    assert "calibrate" not in err


def test_words_of_others_steer_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An escape in a model's name or a file's is printed as a sign that it was there."""
    print_line("a\x1b[31mb\x9bc\u202ed\udcffe\tñ→\n")
    assert capsys.readouterr().out == "a\ufffd[31mb\ufffdc\ufffdd\ufffde\tñ→\n\n"


REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize("words", [["files"], ["--help"], ["schema", "config"], ["connect"]])
def test_a_reader_that_goes_is_no_fault(words: list[str], tmp_path: Path) -> None:
    """Behind 'aduana … | head' nothing is complained of."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        done = _run(words, tmp_path, gone)
    assert done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """Where the output can't be written, a sentence says so and the command fails."""
    with open("/dev/full", "wb") as full:
        done = _run(["files"], tmp_path, full)
    assert (done.returncode, done.stderr) == (2, b"aduana: No space left on device.\n")


def test_a_letter_that_the_terminal_lacks_is_a_question_mark(tmp_path: Path) -> None:
    """In a terminal of another encoding a command goes on."""
    done = _run(["connect"], tmp_path, subprocess.PIPE, LC_ALL="es_ES.UTF-8", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" in done.stdout


def _run(words: list[str], folder: Path, output: Any, **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=folder,
        env={**ENVIRONMENT, "HOME": str(folder), **more},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        check=False,
    )


def test_a_user_without_a_home_is_told_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In a container whose user is only a number, a command says which variable is missing."""

    def nobody(number: int) -> object:
        raise KeyError(number)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("ADUANA_STATE_DIR", raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert main(["check"]) == 2
    assert "Set the variable HOME" in capsys.readouterr().err


def test_ctrl_c_while_a_command_is_loaded_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes their mind at once sees no fault, as later on."""

    def interrupted(name: str) -> object:
        raise KeyboardInterrupt(name)

    monkeypatch.setattr("gateway.cli.importlib.import_module", interrupted)
    assert main(["files"]) == 130


@pytest.mark.parametrize("words", [["--port", "99999"], ["--port", "-5"]])
def test_an_option_of_serve_that_can_not_be_is_told(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The option is named, and nothing starts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main(["serve", *words]) == 2
    assert capsys.readouterr().err.startswith("aduana: --port: Input should be ")
