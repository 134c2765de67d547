"""Budget of a thought: when it is used up, the thought is ended with the model's own marker, and the answer begins."""

import enum

import numpy as np
from numpy.typing import NDArray

from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import ThoughtBudget
from gateway.engine.sampling.grammar import Constraint


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
        return self._inner is not None and self._inner.took(token)

    def _piece(self, token: int) -> str:
        return self._vocabulary.piece(token, special=True).decode("utf-8", "replace")

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
        if self._stage is _Stage.THINKING and self._left <= 0 and self._closing:
            self._stage = _Stage.CLOSING
