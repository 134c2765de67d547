"""How many tokens the reference model's own tokenizer makes of what local models answer.

Answers are looked at now and then, in a thread, and forgotten; what stays is a ratio for each target. Counting each
answer would be exact, and cost more than the figure is worth.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gateway.core.errors import ConfigurationError

_EVERY_SECONDS = 1.0
_LONGEST = 8_000  # characters of one answer: a few milliseconds
_SHORTEST = 16  # tokens: less says nothing
_ENOUGH = 2_000  # tokens of a target, before its ratio counts
_FADE = 200_000  # tokens, after which older answers weigh half


class TokenizerRatio:
    """Measure of how many tokens the reference model would count for the tokens of each local target.

    `sample` is called on the event loop and returns at once; `ratio` can be asked at any time.
    """

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Load the tokenizer.

        Raises:
            ConfigurationError: The file is no tokenizer, or the extra is not installed.
        """
        self._tokenizer = _opened(file)
        self._clock = clock
        self._next = float("-inf")
        self._sums: dict[str, tuple[float, float]] = {}  # local tokens, reference tokens
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "recount")

    def sample(self, target: str, text: str, tokens: int) -> None:
        """Count, now and then, an answer of that many local tokens."""
        now = self._clock()
        if now < self._next or tokens < _SHORTEST or len(text) > _LONGEST:
            return
        self._next = now + _EVERY_SECONDS
        self._thread.submit(self._count, target, text, tokens)

    def ratio(self, target: str) -> float | None:
        """Return the reference model's tokens for one of the target's; None: not enough was seen yet."""
        local, reference = self._sums.get(target, (0.0, 0.0))
        return reference / local if local >= _ENOUGH else None

    def close(self) -> None:
        """Finish what is being counted."""
        self._thread.shutdown()

    def _count(self, target: str, text: str, tokens: int) -> None:
        counted = len(self._tokenizer.encode(text, add_special_tokens=False).ids)
        with self._lock:
            local, reference = self._sums.get(target, (0.0, 0.0))
            if local > _FADE:
                local, reference = local / 2, reference / 2
            self._sums[target] = (local + tokens, reference + counted)


def _opened(file: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ConfigurationError(
            ("prices.reference_tokenizer needs an extra. Run: aduana extras install tokenizer",)
        ) from error
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises plain Exception for whatever is wrong with a file
        problem = f"prices.reference_tokenizer: {file} can't be read as a tokenizer.json: {type(error).__name__}."
        raise ConfigurationError((problem,)) from error
