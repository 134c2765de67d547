"""One file of the set, and what is known of it."""

import enum
import hashlib

import msgspec


class Tier(enum.StrEnum):
    """How hard a file is to read."""

    TEXT = "text layers"
    SCAN = "clean scans, 150 dpi and more"
    ROUGH = "rotated, noisy or coarse scans"
    SCREEN = "screenshots"
    PHOTO = "photographs"


class Half(enum.StrEnum):
    """Half of the set: readers may be mended by what they miss in the first, never in the second."""

    SEEN = "seen"
    UNSEEN = "unseen"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A file, the place in it where a value was planted, and the value. Without values it is a clean twin."""

    name: str
    data: bytes
    kind: str  # a row of the table: `pdf`, `docx`, `scan` …
    case: str  # the place or the damage: `comment`, `rotated 90` …
    tier: Tier = Tier.TEXT
    values: tuple[str, ...] = ()
    told: str = ""  # the sentence with the value as somebody would paste it, to tell whether text alone would be found
    ink: bool = False  # it stands in pixels

    @property
    def clean(self) -> bool:
        """Whether nothing in it is anybody's."""
        return not self.values

    @property
    def half(self) -> Half:
        """The half that it belongs to, by its case, so that whole cases stay unseen."""
        digest = hashlib.sha256(f"{self.kind}/{self.case}/{self.clean}".encode()).digest()
        return Half.SEEN if digest[0] % 2 else Half.UNSEEN
