"""The way that a request took, as answers and errors tell it to the client."""

import msgspec

from gateway.core.labels import Label, Zone


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The way that a request took, for the answer's headers. `target` None: nobody answered it."""

    request_id: str
    label: Label
    rule: str
    target: str | None = None
    zone: Zone | None = None
    masked: tuple[tuple[str, int], ...] = ()  # category → findings that went out under pseudonyms
    unknown_tags: tuple[str, ...] = ()  # tags of the request that nobody declared
    dropped: tuple[str, ...] = ()  # fields of the body that the target was not sent
    reasons: tuple[str, ...] = ()  # why it has its label: categories, doubts, tags; never a text
