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
        """Number of tokens that the next row may hold: the text up to the next picture, or one part of a picture."""
        for span in self.spans:
            if span.end > self.done:
                return (span.end if span.start == self.done else span.start) - self.done
        return self.unread

    def shift(self, index: int) -> int:
        """Return how many positions fewer than tokens stand before a token."""
        return shift_before(self.spans, index) if self.spans else 0

    @property
    def reading(self) -> bool:
        """Whether more than its last token is to be computed: before its first token, or after it lost its slot."""
        return self.unread > 1 or len(self.tokens) == self.prompt

    @property
    def generated(self) -> int:
        """Number of tokens generated so far."""
        return len(self.tokens) - self.prompt
