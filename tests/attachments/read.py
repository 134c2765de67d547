"""What a file says, without the process around the reader."""

import msgspec

from gateway.attachments.worker.files import read_file
from gateway.attachments.worker.parts import Budget, Kind, Limits, Pages, Unread
from gateway.core.attachment import FileKind, Piece


class Said(msgspec.Struct):
    """Texts by place, reasons why they are not all, pages, and the kind."""

    texts: dict[str, str] = msgspec.field(default_factory=dict)
    reasons: list[str] = msgspec.field(default_factory=list)
    pages: int = 0
    kind: FileKind = FileKind.UNKNOWN

    @property
    def all(self) -> str:
        """All texts."""
        return "\n".join(self.texts.values())


def read(data: bytes, name: str = "", limits: Limits | None = None) -> Said:
    """Read a file in this process. Texts of the same place stand in lines."""
    said = Said()
    for part in read_file(data, Budget(limits or Limits()), name):
        match part:
            case Piece():
                said.texts[part.place] = "\n".join(filter(None, (said.texts.get(part.place), part.text)))
            case Unread():
                said.reasons.append(str(part.reason))
            case Pages():
                said.pages += part.count
            case Kind():
                said.kind = part.kind
    return said
