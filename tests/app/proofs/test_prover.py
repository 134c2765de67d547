"""A policy is proved once: by a process that ends, and not again while nothing has changed that the proof rests on."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gateway.app.proofs import prover
from gateway.app.proofs.prover import PolicyProver
from gateway.app.proofs.question import Question
from gateway.app.proofs.remembered import Proved
from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label
from tests.policy.house import BIG, HOME, catalog_of

RULES = "version: 1\nlabels: {default: internal}\notherwise: {prefer: [home]}\n"
BROKEN = RULES + "claims:\n  - never: {when: {label: internal}, zone: local}\n"


def question(text: str = RULES, **changed: object) -> Question:
    asked = Question(roots=("a.yaml",), texts={"a.yaml": text}, catalog=catalog_of(HOME, BIG), rates={"USD": 1.0})
    return msgspec.structs.replace(asked, **changed)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Let a process of its own be asked, as in a gateway, which has no solver; what it is asked is noted."""
    asked: list[bytes] = []
    real = subprocess.run

    def run(*args, **named):
        asked.append(named["input"])
        return real(*args, **named)

    monkeypatch.setattr(prover, "_SOLVER", "a solver that is not loaded")
    monkeypatch.setattr(prover.subprocess, "run", run)
    return asked


def test_an_unchanged_policy_is_not_proved_again(tmp_path: Path, elsewhere: list[bytes]) -> None:
    """The next start finds the proof; another text, another target's ceiling or order is another question."""
    first = question()
    PolicyProver([tmp_path]).require(first, first.policy())
    assert len(elsewhere) == 1
    PolicyProver([tmp_path]).require(question(), first.policy())
    assert len(elsewhere) == 1
    lower = msgspec.structs.replace(BIG, ceiling=Label.PUBLIC if BIG.ceiling is Label.INTERNAL else Label.INTERNAL)
    for other in (
        question(RULES + "\n"),
        question(catalog=catalog_of(HOME, lower)),
        question(catalog=catalog_of(BIG, HOME)),
        question(rates={"USD": 1.0, "EUR": 1.1}),
    ):
        assert not Proved([tmp_path]).has(other.digest(first.policy().digest))


def test_a_policy_that_moves_whole_stays_proved() -> None:
    """The folder counts for nothing; the files' places in it, and which of them includes another, do."""

    def digest(folder: str, *names: str, roots: tuple[str, ...] = ("p.yaml",)) -> str:
        texts = {f"{folder}{name}": RULES for name in names}
        return question(roots=tuple(folder + name for name in roots), texts=texts).digest("d")

    here = digest("/etc/aduana/", "p.yaml", "house/q.yaml")
    assert here == digest("/home/ana/policies/", "p.yaml", "house/q.yaml")
    assert here != digest("/etc/aduana/", "p.yaml", "q.yaml")
    assert here != digest("/etc/aduana/", "p.yaml", "house/q.yaml", roots=("p.yaml", "house/q.yaml"))
    assert here != digest("/etc/aduana/", "p.yaml")


def test_what_is_refuted_is_told_and_never_remembered(tmp_path: Path, elsewhere: list[bytes]) -> None:
    """A broken claim is named with its place, each time anew."""
    asked = question(BROKEN)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=r"a\.yaml:5:5: the claim .* is refuted"):
            PolicyProver([tmp_path]).require(asked, asked.policy())
    assert len(elsewhere) == 2
    assert list(tmp_path.iterdir()) == []


def test_the_process_answers_as_this_one_does(elsewhere: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts, cases and notes come through whole."""
    asked = question(BROKEN)
    found = PolicyProver().check(asked, asked.policy())
    monkeypatch.setattr(prover, "_SOLVER", "sys")
    assert PolicyProver().check(asked, asked.policy()) == found
    assert (len(elsewhere), found.passed) == (1, False)


def test_a_proof_of_another_policy_counts_for_nothing(tmp_path: Path, elsewhere: list[bytes]) -> None:
    """A file that changed while it was read: what is in force is proved, and not what the process was told."""
    with pytest.raises(ConfigurationError, match="is refuted"):
        PolicyProver([tmp_path]).require(question(), question(BROKEN).policy())
    assert (len(elsewhere), list(tmp_path.iterdir())) == (1, [])
    PolicyProver([tmp_path]).require(question(), question().policy())
    with pytest.raises(ConfigurationError, match="is refuted"):
        PolicyProver([tmp_path]).require(question(), question(BROKEN).policy())


@pytest.mark.parametrize("program", ["", "import sys; sys.exit(3)", "print('yes')"])
def test_where_the_process_fails_the_solver_is_asked_here(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that can't be started, dies or says nonsense proves nothing: a broken claim is found all the same."""
    real = subprocess.run

    def run(command, **named):
        return real([sys.executable, "-c", program] if program else ["/there/is/none"], **named)

    monkeypatch.setattr(prover, "_SOLVER", "a solver that is not loaded")
    monkeypatch.setattr(prover.subprocess, "run", run)
    asked = question(BROKEN)
    with pytest.raises(ConfigurationError):
        PolicyProver().require(asked, asked.policy())


def test_a_proof_that_others_could_have_written_is_none(tmp_path: Path) -> None:
    """A file that others may write, in a folder that they may, a link, or another file renamed: it is proved again."""
    ours = tmp_path / "ours"
    Proved([ours]).add("d1")
    assert Proved([ours]).has("d1")
    file = ours / "proved-d1"
    file.chmod(0o666)
    assert not Proved([ours]).has("d1")
    file.chmod(0o600)
    ours.chmod(0o777)
    assert not Proved([ours]).has("d1")
    Proved([ours]).add("d2")
    assert not (ours / "proved-d2").exists()
    ours.chmod(0o700)
    (ours / "proved-d3").symlink_to(file)
    file.rename(ours / "proved-d4")
    assert not any(Proved([ours]).has(digest) for digest in ("d1", "d2", "d3", "d4"))
