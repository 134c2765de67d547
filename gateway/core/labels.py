"""Sensitivity labels and zones: the two scales every decision is made on."""

import enum


class Label(enum.IntEnum):
    """How sensitive a request is. Ordered; while a request is handled a label only ever rises (use `max`)."""

    PUBLIC = 0
    INTERNAL = 1
    SENSITIVE = 2

    @property
    def word(self) -> str:
        """Return the word used in policies, headers and metrics: `public`, `internal`, `sensitive`."""
        return _WORDS[self]

    @classmethod
    def parse(cls, word: str) -> "Label":
        """Return the label for its word.

        Raises:
            ValueError: No label has this word.
        """
        try:
            return cls[word.upper()] if word == word.lower() else cls[word]
        except KeyError:
            raise ValueError(f"{word!r} is not a label; use public, internal or sensitive") from None


_WORDS = tuple(label.name.lower() for label in Label)  # asked for several times with every request


class Zone(enum.StrEnum):
    """Where a target runs: `local` is this machine or the user's own network, `cloud` is everybody else's."""

    LOCAL = "local"
    CLOUD = "cloud"
