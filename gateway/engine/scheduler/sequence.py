"""One request in the scheduler: its tokens and how far they are computed. Changed by the scheduler only."""

from array import array

import msgspec

from gateway.engine.media import MediaSpan, shift_before


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
    spans: tuple[MediaSpan, ...] = ()  # which tokens stand for parts of pictures
    marks: list[int] = []  # lengths at which reading is interrupted for a checkpoint; ascending, none is below `done`

    @property
    def unread(self) -> int:
        """Number of tokens whose KV is still to be computed."""
        return len(self.tokens) - self.done

    @property
    def span(self) -> MediaSpan | None:
        """The part of a picture that is to be computed next; None: text is."""
        return next((span for span in self.spans if span.start == self.done), None)

    @property
    def run(self) -> int:
        """Number of tokens that the next row may hold: text up to a picture or a mark, or one part of a picture."""
        end = next((mark for mark in self.marks if mark > self.done), len(self.tokens))
        for span in self.spans:
            if span.end > self.done:
                end = span.end if span.start == self.done else min(end, span.start)
                break
        return end - self.done

    def shift(self, index: int) -> int:
        """Return how many positions fewer than tokens stand before a token."""
        return shift_before(self.spans, index) if self.spans else 0

    def position(self, length: int) -> int:
        """Return the position at which the first `length` tokens end; a picture may take fewer than its tokens."""
        return length - self.shift(length)

    @property
    def reading(self) -> bool:
        """Whether more than its last token is to be computed: before its first token, or after it lost its slot."""
        return self.unread > 1 or len(self.tokens) == self.prompt

    @property
    def generated(self) -> int:
        """Number of tokens generated so far."""
        return len(self.tokens) - self.prompt
