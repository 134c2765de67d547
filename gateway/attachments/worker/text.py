"""Plain text, whatever it is written in: notes, CSV, JSON, Markdown, source code."""

from gateway.attachments.worker.charset import decoded
from gateway.attachments.worker.columns import of_separated
from gateway.attachments.worker.parts import Budget, Parts, Reason, Unread
from gateway.core.attachment import Piece


def read(data: bytes, budget: Budget) -> Parts:
    """Yield the text as it stands."""
    text = decoded(data)
    if text is None:
        yield Unread(reason=Reason.UNKNOWN_KIND)
        return
    yield Piece(place="", text=text.text)
    beside = of_separated(text.text)
    if beside:
        yield Piece(place="by columns", text=beside)
    if not text.sure:
        yield Unread(reason=Reason.ENCODING)
