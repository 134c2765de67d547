"""Short way of an answer's plain text: from the target's bytes to the client's without a stop in between.

Nearly all pieces of an answer are a few letters, and every layer between target and client would no more than look at
them. Here they are handed over in one call, while all these layers wait for the next delta. Nothing is awaited on this
way: what a slow client can't take now goes the long one, on which it is waited for.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

from gateway.core.delta import Delta, Reasoning, Text

Take: TypeAlias = Callable[[Sequence[Text | Reasoning]], bool]
"""Takes texts that arrived together, all of them at once, and returns True; or none of them, and returns False."""

_PLAIN = frozenset({Text, Reasoning})


class FastPath:
    """Short way of one answer. Closed until `take` is set, and then for texts and thoughts alone.

    INVARIANT: it is opened by the pipeline only, behind the first delta, and only where nobody may change or hold back
    a text on its way: not where pseudonyms are to be replaced, and not where it is remembered before it goes on.
    """

    __slots__ = ("take",)

    def __init__(self) -> None:
        self.take: Take | None = None

    def took(self, deltas: Sequence[Delta]) -> bool:
        """Hand deltas over, and return whether they went this way."""
        if self.take is None:
            return False
        for delta in deltas:
            if type(delta) not in _PLAIN:
                return False
        return self.take(cast(Sequence[Text | Reasoning], deltas))
