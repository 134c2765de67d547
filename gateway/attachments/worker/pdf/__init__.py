"""PDF, read with PDFium (`pypdfium2`, of the extra `documents`).

Owns what a PDF can say and where: pages, annotations and forms, and what stands beside the pages. Imports the library
only when it is asked to, for it may not be there.
"""

from importlib.util import find_spec

from gateway.attachments.worker.parts import Budget, Parts, Reason, Unread


def installed() -> bool:
    """Tell whether the library is there."""
    return find_spec("pypdfium2") is not None


def read(data: bytes, budget: Budget) -> Parts:
    """Yield everything that a PDF says."""
    if not installed():
        yield Unread(reason=Reason.UNREADABLE)
        return
    from gateway.attachments.worker.pdf.document import read_document

    yield from read_document(data, budget)
