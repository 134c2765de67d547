"""Shares with their intervals, and tables in Markdown."""

import math
from collections.abc import Iterable, Sequence

import msgspec

_SIGMAS = 1.96  # 95 %


class Share(msgspec.Struct, frozen=True):
    """So many of so many texts."""

    flagged: int
    texts: int

    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval (E. B. Wilson, "Probable inference", 1927)."""
        if not self.texts:
            return 0.0, 1.0
        share, square = self.flagged / self.texts, _SIGMAS**2 / self.texts
        middle = share + square / 2
        half = _SIGMAS * math.sqrt(share * (1 - share) / self.texts + square / self.texts / 4)
        return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))

    def __str__(self) -> str:
        if not self.texts:
            return ""
        low, high = self.interval()
        return f"{self.flagged / self.texts:.1%} ({low * 100:.0f}–{high * 100:.0f})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], words: int = 1) -> None:
    """Print a table whose first columns are words, and the others numbers."""
    print(f"| {' | '.join(head)} |")
    print("|" + "---|" * words + "---:|" * (len(head) - words))
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
