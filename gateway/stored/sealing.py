"""What a record's seal is, and what it is bound to."""

from typing import Protocol


class Sealing(Protocol):
    """Seal of a state directory's secret; `name` is bound to what is sealed."""

    def seal(self, content: bytes, name: bytes) -> bytes:
        """Return the sealed content."""

    def open(self, sealed: bytes, name: bytes) -> bytes:
        """Return the content; raises an AduanaError if it was changed or has another name."""


def sealed_name(owner: str, record_id: str) -> bytes:
    """Return what a record's seal is bound to: whose it is, and its id."""
    return f"{len(owner)} {owner} {record_id}".encode()
