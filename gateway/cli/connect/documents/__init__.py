"""Settings files that are changed in a few places and stay as they were everywhere else, comments included.

Texts in, texts out. Must not know apps, or touch the disk.
"""

from gateway.cli.connect.documents.document import Document, open_document
from gateway.cli.connect.documents.edits import MISSING, Edit, look, reverted

__all__ = ["MISSING", "Document", "Edit", "look", "open_document", "reverted"]
