"""Budget of a thought: when it is used up, the thought is ended with the model's own marker, and the answer begins.

A thought ends between two characters, and where the grammar of the answer lets it end: a few tokens after its budget.
"""

import codecs
import enum

import numpy as np
from numpy.typing import NDArray

from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import ThoughtBudget
from gateway.engine.sampling.grammar import Constraint

_LONGEST_CHARACTER = 4  # bytes, and so tokens
_PATIENCE = 2 * _LONGEST_CHARACTER  # tokens after which a thought may end inside a character


class _Stage(enum.Enum):
    BEFORE = "before"  # the answer may begin with a thought
    THINKING = "thinking"
    CLOSING = "closing"
    DONE = "done"


class BudgetedThought:
    """Constraint of one sequence: by its own grammar, if it has one, and by the tokens that end too long a thought."""

    def __init__(self, budget: ThoughtBudget, vocabulary: Vocabulary, inner: Constraint | None) -> None:
        self._budget = budget
        self._vocabulary = vocabulary
        self._inner = inner
        self._stage = _Stage.THINKING if budget.begun else _Stage.BEFORE
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._left = budget.tokens
        self._closing = list(budget.close)
        self._check_budget()

    def permits(self, token: int) -> bool:
        """Say whether this token may come next."""
        if self._stage is _Stage.CLOSING:
            return token == self._closing[0]
        return self._inner is None or self._inner.permits(token)

    def allowed(self) -> NDArray[np.bool_]:
        """Return a mask `(n_vocab,)` of the tokens that may come next.

        Raises:
            GrammarFault: the grammar became too complex.
        """
        if self._stage is not _Stage.CLOSING and self._inner is not None:
            return self._inner.allowed()
        mask = np.full(self._vocabulary.size, self._stage is not _Stage.CLOSING, np.bool_)
        if self._stage is _Stage.CLOSING:
            mask[self._closing[0]] = True
        return mask

    def took(self, token: int) -> bool:
        """Note that a token was sampled. True: the answer is complete and can't go on.

        Raises:
            GrammarFault: the grammar became too complex.
        """
        complete = self._inner is not None and self._inner.took(token)  # first: the budget asks what it lets follow
        match self._stage:
            case _Stage.BEFORE:
                self._begin(self._piece(token))
            case _Stage.THINKING:
                self._think(self._piece(token))
            case _Stage.CLOSING:
                self._closing.pop(0)
                self._stage = _Stage.CLOSING if self._closing else _Stage.DONE
            case _Stage.DONE:
                pass
        return complete

    def _piece(self, token: int) -> str:
        """Return the characters that end with a token."""
        return self._decoder.decode(self._vocabulary.piece(token, special=True))

    def _begin(self, piece: str) -> None:
        self._text += piece
        start = self._text.lstrip()
        opens = self._budget.open.strip()
        if start.startswith(opens):
            self._stage, self._text = _Stage.THINKING, start.removeprefix(opens)
            self._check_budget()
        elif not opens.startswith(start):
            self._stage = _Stage.DONE

    def _think(self, piece: str) -> None:
        mark = self._budget.mark
        self._text = (self._text + piece)[-len(mark) - len(piece) :]
        if mark in self._text:
            self._stage = _Stage.DONE
            return
        self._left -= 1
        self._check_budget()

    def _check_budget(self) -> None:
        if self._stage is _Stage.THINKING and self._left <= 0 and self._closing and self._may_close():
            self._stage = _Stage.CLOSING

    def _may_close(self) -> bool:
        begun, _ = self._decoder.getstate()  # bytes of a character that has not ended
        if begun and self._left > -_PATIENCE:
            return False
        # INVARIANT: no token is forced that the grammar refuses, for that would end the answer with an error.
        return self._inner is None or self._inner.permits_all(self._closing)
