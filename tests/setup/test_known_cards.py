"""Cards are found by the names that people and drivers give them."""

import pytest

from gateway.setup.known_cards import known_cards

KNOWN = known_cards()


@pytest.mark.parametrize("card", KNOWN.cards, ids=lambda card: card.name)
def test_a_card_is_sensible(card) -> None:
    """Its figures are those of a card, and it is found by its name and its title."""
    assert 8 <= card.memory <= 128
    assert 200 <= card.bandwidth <= 2000
    assert card.idle_watts < card.watts <= 600
    assert card.source
    assert KNOWN.named(card.title) is KNOWN.named(card.name.upper()) is card


@pytest.mark.parametrize(
    ("name", "gib", "expected"),
    [
        ("NVIDIA GeForce RTX 4090", 23.99, "rtx-4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 15.99, None),
        ("NVIDIA GeForce RTX 3060", 11.75, "rtx-3060-12gb"),
        ("NVIDIA GeForce RTX 3060 Ti", 8, None),
        ("NVIDIA GeForce RTX 4060 Ti", 15.6, "rtx-4060-ti-16gb"),
        ("NVIDIA GeForce RTX 4060 Ti", 7.6, None),
        ("NVIDIA GeForce RTX 3090 Ti", 24, None),
        ("NVIDIA RTX 6000 Ada Generation", 47.5, "rtx-6000-ada"),
        ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 95.6, "rtx-pro-6000"),
        ("NVIDIA H200", 141, None),
        ("AMD Radeon RX 7900 XTX", 23.98, "rx-7900-xtx"),
    ],
)
def test_a_drivers_name_is_understood(name: str, gib: float, expected: str | None) -> None:
    """Its other words don't matter, its memory does, and a card of nearly that name is another."""
    card = KNOWN.found_as(name, int(gib * 2**30))
    assert (card.name if card is not None else None) == expected
