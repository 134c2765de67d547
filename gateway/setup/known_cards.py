"""Graphics cards with what their makers state: memory, bandwidth, power, arithmetic. The list is `known_cards.json`."""

import re
from importlib.resources import files

import msgspec

_TOLERANCE = 0.1  # of the memory: a driver keeps some for itself


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Graphics card. Memory in GB, bandwidth in GB/s, power in watts, arithmetic in 10^12 FP16 operations a second."""

    name: str
    title: str
    memory: float
    bandwidth: float
    watts: float
    idle_watts: float
    """With a model in memory and nothing to do."""
    tflops: float
    shared: bool = False
    """It has no memory of its own and uses the machine's; its power is then that of the whole machine."""
    source: str


class KnownCards(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The list, and the day on which it was put together."""

    date: str
    about: str
    cards: tuple[Card, ...]

    def named(self, name: str) -> Card | None:
        """Return the card of that name, however it is written (`RTX 4090`, `rtx4090`); None: it is not in the list."""
        plain = _plain(name)
        return next((card for card in self.cards if plain in (_plain(card.name), _plain(card.title))), None)

    def found_as(self, name: str, memory: int | None) -> Card | None:
        """Return the card that a driver calls so and that has about so many bytes; None: it is not in the list."""
        plain = _plain(name)
        fitting = [
            card
            for card in self.cards
            if plain.startswith(stem := re.sub(r"\d+gb$", "", _plain(card.name)))
            and not re.match(r"ti|super|laptop|max|d$|mobile", plain.removeprefix(stem))
            and (memory is None or card.shared or abs(memory / 2**30 / card.memory - 1) < _TOLERANCE)
        ]
        return max(fitting, key=lambda card: len(card.name), default=None)


def known_cards() -> KnownCards:
    """Return the list that is shipped."""
    text = (files("gateway.setup") / "known_cards.json").read_bytes()
    return msgspec.json.decode(text, type=KnownCards)


def _plain(name: str) -> str:
    return re.sub(r"nvidia|geforce|amd|radeon|[^a-z0-9]", "", name.lower())
