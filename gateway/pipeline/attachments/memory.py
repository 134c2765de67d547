"""Attachments as the memory of conversations takes them. Pure."""

from gateway.core.request import AnyRequest
from gateway.pipeline.attachments.attached import Attached, AttachedItem
from gateway.pipeline.ports import AttachedText
from gateway.privacy.taint.document_texts import attached_texts


def as_remembered(request: AnyRequest, attached: Attached, *, every: bool = False) -> tuple[AttachedText, ...]:
    """Return the attachments that were read, with their texts and bytes.

    Args:
        request: What they stand in.
        attached: All of its attachments.
        every: Something makes all of the request sensitive besides the doubts about attachments. Else what was read
            whole and is clean tells nothing: pasted as plain text it would leave as well.
    """
    if not attached.items:
        return ()
    return tuple(_of(request, item, every) for item in attached.items if item.reading is not None)


def _of(request: AnyRequest, item: AttachedItem, every: bool) -> AttachedText:
    pieces = item.reading.pieces if item.reading is not None else ()
    texts = attached_texts(request, item.found.message, [(item.piece_place(piece), piece.text) for piece in pieces])
    return AttachedText(path=item.found.path, texts=texts, data=item.found.data, telling=every or not item.clean)
