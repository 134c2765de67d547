"""A machine that has nothing to answer with yet is helped to something, or told what to do."""

import pytest

from gateway.cli.init.candidates import Candidate
from gateway.cli.init.engine_step import with_engine
from gateway.cli.init.findings import Findings
from gateway.cli.init.questions import Defaults
from gateway.cli.init.spanish import SPANISH
from gateway.core.errors import AduanaError
from gateway.core.translation import Translator
from gateway.setup.machine import Machine

TELL = Translator(SPANISH, "en")
SERVER = Candidate(kind="server", model="qwen3:14b", where="Ollama")
STARTER = Candidate(kind="starter", model="smollm2")


class No(Defaults):
    """Somebody who says no."""

    def whether(self, question: str, *, default: bool) -> bool:
        return False


def machine(*candidates: Candidate, engine: bool = False) -> Findings:
    """A machine with these models."""
    return Findings(
        machine=Machine(system="Linux", processor="x86_64"),
        engine=engine,
        servers=(),
        files=0,
        candidates=candidates,
        keys=(),
        port=8484,
    )


@pytest.mark.parametrize(
    ("before", "answers", "status", "installs"),
    [
        (machine(), Defaults(), 0, 1),
        (machine(STARTER), Defaults(), 0, 1),
        (machine(STARTER), Defaults(), 1, 1),
        (machine(STARTER), No(), 0, 0),
        (machine(STARTER, engine=True), Defaults(), 0, 0),
        (machine(SERVER), Defaults(), 0, 0),
    ],
)
def test_the_engine_is_offered_where_nothing_else_can_answer(before, answers, status, installs):
    """It is installed only where somebody says so, and then there is more to choose from."""
    after, asked = machine(STARTER, engine=True), []

    def install() -> int:
        asked.append("install")
        return status

    found = with_engine(before, install, lambda: after, answers, TELL)
    assert len(asked) == installs
    assert found is (after if installs and status == 0 else before)


def test_where_nothing_can_answer_it_says_what_to_do():
    """A script installs nothing by itself, and learns what would help."""
    with pytest.raises(AduanaError, match="aduana engine install") as caught:
        with_engine(machine(), None, machine, Defaults(), TELL)
    assert "Ollama" in caught.value.message
