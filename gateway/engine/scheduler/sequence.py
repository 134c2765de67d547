"""One request in the scheduler: its tokens and how far they are computed. Changed by the scheduler only."""

from array import array

import msgspec


class Sequence(msgspec.Struct, kw_only=True):
    """Sequence of tokens of one request: the prompt and what was generated, and how far it is computed."""

    id: int
    tokens: "array[int]"
    prompt: int  # length of the prompt
    limit: int  # length at which it ends
    isolation: str
    priority: int = 0
    slot: int = -1
    done: int = 0  # leading tokens whose KV is computed
    cached: int = 0
    scored: bool = False  # logits of every token are wanted: nothing may come from a cache

    @property
    def unread(self) -> int:
        """Number of tokens whose KV is still to be computed."""
        return len(self.tokens) - self.done

    @property
    def reading(self) -> bool:
        """Whether more than its last token is to be computed: before its first token, or after it lost its slot."""
        return self.unread > 1 or len(self.tokens) == self.prompt

    @property
    def generated(self) -> int:
        """Number of tokens generated so far."""
        return len(self.tokens) - self.prompt
