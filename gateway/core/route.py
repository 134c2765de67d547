"""The way that a request took, as answers and errors tell it to the client."""

import msgspec

from gateway.core.labels import Label, Zone
from gateway.core.request import Dialect


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a limit: of requests or tokens, or of a key's places at a target at home."""

    limit: int
    left: int
    wait: float | None = None  # seconds until all of it is free; of places, until the next request would begin


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The way that a request took, for the answer's headers. `target` None: nobody answered it."""

    request_id: str
    label: Label
    rule: str
    refused: bool = False  # nobody may answer it; else it failed, or found no place, where it was let
    target: str | None = None
    zone: Zone | None = None
    masked: tuple[tuple[str, int], ...] = ()  # category → findings that went out under pseudonyms
    unknown_tags: tuple[str, ...] = ()  # tags of the request that nobody declared
    dropped: tuple[str, ...] = ()  # fields of the body that the target was not sent
    reasons: tuple[str, ...] = ()  # why it has its label: categories, doubts, tags; never a text
    dialect: Dialect = Dialect.OPENAI
    room: Room | None = None  # None: nothing limits the requests of whoever asks
    tokens: Room | None = None  # None: nothing limits their tokens

    @property
    def decision(self) -> str:
        """Return what was decided, in one word: `refused` or `permitted`."""
        return "refused" if self.refused else "permitted"
