"""What is known of a request's attachments, and what that means for its inspection. Pure.

INVARIANT: a reading adds findings and doubts. It takes a doubt away only where the owner has let such attachments
leave, everything in the part was read whole, and nothing at all speaks against what was read.
"""

from collections.abc import Awaitable, Callable
from types import MappingProxyType

import msgspec

from gateway.core.attachment import FileKind, Piece, Reading, SeenAttachment
from gateway.core.finding import Doubt, Inspection
from gateway.core.request import AnyRequest, CompletionRequest, Dialect, Media
from gateway.pipeline.attachments.found import Found, about_attachments, covers

_PAGES = "pages"  # the one field of the document that the text of an attachment is inspected as
_GUESSED = {Media.IMAGE: FileKind.PICTURE, Media.AUDIO: FileKind.SOUND, Media.FILE: FileKind.UNKNOWN}


class AttachmentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner lets be done with attachments."""

    may_leave: frozenset[FileKind] = frozenset()  # read whole and clean, these raise no doubt
    patience: float = 120.0  # seconds in which one must be read, where many wait for one process
    remember: bool = True  # those of requests that stay at home are read behind the answer, for the memory of texts


class AttachedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One attachment: where it stands, what was read of it, and what inspection saw in that."""

    found: Found
    reading: Reading | None = None
    text: AnyRequest | None = None  # what was read, as a document that inspection can look at
    inspection: Inspection = Inspection()

    def place(self, path: str) -> str:
        """Return where a place in the text stands in the attachment: `$.messages[2].file "report.pdf" page 3`."""
        number = path.removeprefix(f"$.{_PAGES}[").partition("]")[0]
        pieces = self.reading.pieces if self.reading is not None else ()
        if path == "$" or not number.isdecimal() or int(number) >= len(pieces):
            return self.found.path
        return self.piece_place(pieces[int(number)])

    def piece_place(self, piece: Piece) -> str:
        """Return where a piece stands."""
        return f"{self.found.path} {piece.place}" if piece.place else self.found.path

    @property
    def clean(self) -> bool:
        """Whether all of it was read, and nothing was found in it."""
        read = self.reading
        seen = self.inspection
        return read is not None and read.whole and not read.reasons and not seen.findings and not seen.doubts

    def seen(self, *, left: bool) -> SeenAttachment:
        """Return it as decisions see it."""
        if self.reading is None:
            return SeenAttachment(path=self.found.path, kind=_GUESSED[self.found.medium])
        read = self.reading
        return SeenAttachment(
            path=self.found.path, kind=read.kind, pages=read.pages, read=True, whole=read.whole,
            reasons=read.reasons, left=left,
        )  # fmt: skip


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """All attachments of a request."""

    items: tuple[AttachedItem, ...] = ()
    may_leave: frozenset[FileKind] = frozenset()

    @property
    def unread(self) -> bool:
        """Whether one could be read and was not yet."""
        return bool(self.items) and any(item.reading is None and item.found.data for item in self.items)

    def without_bytes(self) -> "Attached":
        """Return the same without the files themselves, for whoever needs only what was read."""
        if not self.items:
            return self
        items = [
            msgspec.structs.replace(item, found=msgspec.structs.replace(item.found, data=b"")) for item in self.items
        ]
        return msgspec.structs.replace(self, items=tuple(items))

    async def looked(self, look: Callable[[AnyRequest, Inspection], Awaitable[Inspection]]) -> "Attached":
        """Return the same, with what a further look at each text sees."""
        items: list[AttachedItem] = []
        for item in self.items:
            if item.text is not None:
                item = msgspec.structs.replace(item, inspection=await look(item.text, item.inspection))
            items.append(item)
        return msgspec.structs.replace(self, items=tuple(items))

    def joined(self, own: Inspection) -> Inspection:
        """Return what inspection saw in the request's texts (`own`), joined by what it saw in attachments."""
        if not self.items:
            return own
        leaving = self.leaving
        findings = [
            msgspec.structs.replace(finding, path=item.place(finding.path))
            for item in self.items
            for finding in item.inspection.findings
        ]
        doubts = [
            Doubt(reason=doubt.reason, path=item.place(doubt.path))
            for item in self.items
            for doubt in item.inspection.doubts
        ]
        return msgspec.structs.replace(
            own,
            findings=(*own.findings, *findings),
            doubts=(*self._standing(own.doubts, leaving), *doubts),
            attachments=tuple(item.seen(left=item.found.part in leaving) for item in self.items),
            characters=own.characters + sum(item.inspection.characters for item in self.items),
        )

    def undoubted(self, own: Inspection) -> Inspection:
        """Return what inspection saw, as if every attachment were clean: only to ask whether reading can matter."""
        every = frozenset(item.found.part for item in self.items)
        return msgspec.structs.replace(own, doubts=self._standing(own.doubts, every))

    @property
    def leaving(self) -> frozenset[str]:
        """Parts that raise no doubt: all in them is clean, and of a kind that may leave."""
        parts = {item.found.part for item in self.items}
        return frozenset(parts - {item.found.part for item in self.items if not self._may_leave(item)})

    def _may_leave(self, item: AttachedItem) -> bool:
        permitted = item.reading is not None and item.reading.kind in self.may_leave
        return permitted and item.clean and item.found.alone

    def _standing(self, doubts: tuple[Doubt, ...], leaving: frozenset[str]) -> tuple[Doubt, ...]:
        """Return the doubts that stand; the request's own word that media are in it falls with the last part."""
        if not leaving:
            return doubts
        every = all(item.found.part in leaving for item in self.items)

        def stands(doubt: Doubt) -> bool:
            if not about_attachments(doubt):
                return True
            return not every if doubt.path == "$" else not any(covers(part, doubt.path) for part in leaving)

        return tuple(doubt for doubt in doubts if stands(doubt))


def as_document(pieces: tuple[Piece, ...]) -> AnyRequest | None:
    """Return the text of an attachment as a request that inspection looks at like any other; None: it has none."""
    if not pieces:
        return None
    document = MappingProxyType({_PAGES: tuple(piece.text for piece in pieces)})
    return CompletionRequest(dialect=Dialect.OPENAI, model="", document=document, prompts=("",))
