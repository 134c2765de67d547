"""Proofs as the gateway has them made: remembered, by a process that ends, or here where neither can be."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from gateway.app.proofs.question import Answer, Question, answer_to
from gateway.app.proofs.remembered import Proved
from gateway.core.errors import ConfigurationError
from gateway.local.worker_environment import worker_environment
from gateway.policy import Policy
from gateway.policy.proof.verdict import PolicyCheck

LOG = structlog.get_logger("aduana.policy")
_SOLVER = "z3"
_SECONDS = 300.0  # for a whole proof; each question to the solver has a limit of its own


class PolicyProver:
    """Prover of policies. Blocks, for a second or so where a policy is new; use it in one thread alone."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """Remember proofs in these folders; without any, nothing is remembered."""
        self._proved = Proved(folders)

    def require(self, question: Question, policy: Policy) -> None:
        """Return where every claim of the policy is proved.

        Raises:
            ConfigurationError: Some claims were not proved; each of them is in it.
        """
        digest = _digest(question, policy)
        if digest is not None and self._proved.has(digest):
            return
        answer = _answer(question, policy)
        if answer.unproved:
            raise ConfigurationError(answer.unproved)
        if digest is not None:
            self._proved.add(digest)

    def check(self, question: Question, policy: Policy) -> PolicyCheck:
        """Return the proofs and the expectations of the policy."""
        answer = _answer(msgspec.structs.replace(question, fully=True), policy)
        assert answer.check is not None
        return answer.check


def _digest(question: Question, policy: Policy) -> str | None:
    """Return the name under which a proof is remembered; None: it can't be."""
    try:
        return question.digest(policy.digest)
    except (OSError, UnicodeEncodeError):
        return None


def _answer(question: Question, policy: Policy) -> Answer:
    """Ask a process that ends, for the solver takes 30 MB which it never gives back; or ask here, if it is here."""
    if _SOLVER not in sys.modules:
        try:
            return _asked(question, policy)
        except (OSError, subprocess.SubprocessError, msgspec.DecodeError, UnicodeEncodeError) as error:
            LOG.warning("policy.proved_here", cause=type(error).__name__)
    return answer_to(question, policy)


def _asked(question: Question, policy: Policy) -> Answer:
    """Return what a process of its own answers.

    INVARIANT: only an answer about this very policy counts: a file may have changed while it was read.

    Raises:
        OSError: It can't be started.
        SubprocessError: It failed, or took too long.
        DecodeError: What it said is no answer.
        UnicodeEncodeError: A text has letters that are none.
    """
    done = subprocess.run(
        [sys.executable, "-m", "gateway.app.proofs"],
        input=question.encoded(),
        stdout=subprocess.PIPE,
        env=worker_environment(),
        timeout=_SECONDS,
        check=True,
    )
    answer = msgspec.json.decode(done.stdout, type=Answer)
    if answer.digest != policy.digest or (question.fully and answer.check is None):
        raise msgspec.DecodeError("another answer")
    return answer
