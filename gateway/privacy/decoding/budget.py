"""What decoding reports to: a budget that is charged, and the doubts about what can't be read. Pure."""

from typing import Protocol

UNREADABLE = "unreadable_blob"  # the doubt about a piece that surely holds something, and that nobody here can read


class DecodingLimit(Exception):
    """Error of a text whose readings are more, or of a packed piece that unpacks to more, than is looked at."""


class Decoding(Protocol):
    """Owner of the budget and of the doubts of one text."""

    def spend(self, characters: int) -> None:
        """Charge characters to the request's budget; raises when it is spent."""

    def doubt(self, reason: str) -> None:
        """Note that a piece of the text could not be read."""

    def icon(self, data: bytes) -> None:
        """Note a picture that is too small for words: of more than a few of them none is passed over."""


class Unlimited:
    """Decoding of a short piece on its own: nothing is charged, nothing is noted."""

    def spend(self, characters: int) -> None:
        """Charge nothing."""

    def doubt(self, reason: str) -> None:
        """Note nothing."""

    def icon(self, data: bytes) -> None:
        """Note nothing."""


class Bounded(Unlimited):
    """Decoding within a number of characters. What can't be read is for inspection to doubt."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def spend(self, characters: int) -> None:
        """Charge characters.

        Raises:
            DecodingLimit: There are none left.
        """
        self._left -= characters
        if self._left < 0:
            raise DecodingLimit
