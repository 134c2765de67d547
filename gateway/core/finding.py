"""What inspection saw. A finding says where and what kind, never the text itself."""

import enum

import msgspec

from gateway.core.attachment import SeenAttachment


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of sensitive data. `start`/`end` are character offsets in the string at `path`."""

    detector: str
    category: str  # dotted, from the category tree: "secret.api_key", "id.national", …
    path: str
    start: int
    end: int
    confidence: float  # 0..1
    encoded: bool = False  # what stands at that place is an encoding of what was found


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A part that could not be inspected. INVARIANT: any doubt makes the request `sensitive` (doubt rises)."""

    reason: str  # "image", "audio", "file", "unreadable_blob", "time", "size", "depth", "findings", …
    path: str


class TraceKind(enum.StrEnum):
    """Way in which a part of a request is known as sensitive from before."""

    PASSAGE = "passage"
    LINE = "line"
    CONVERSATION = "conversation"
    SIZE = "size"  # too many texts to look each of them up
    STORED = "stored"  # it continues what is stored, which was sensitive
    LOST = "lost"  # the memory itself was lost, so nobody knows


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a request that is known as sensitive from before. It says where and how, never what."""

    kind: TraceKind
    path: str


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `privacy.inspect` says about one document."""

    findings: tuple[Finding, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    tainted: bool = False  # an earlier turn of this conversation was sensitive
    causes: frozenset[str] | None = (
        None  # categories that made those turns sensitive; None: not known, or not only they
    )
    traces: tuple[Trace, ...] = ()  # where and how they are known again
    attachments: tuple[SeenAttachment, ...] = ()  # parts that are no text, each once
    strings: int = 0
    characters: int = 0
    letters: bool = True  # False: those of media in base64 were not searched, and each of these media is a doubt
