"""A conversation is known by its own turns in a row, and by nothing that is too short to tell it from others."""

from gateway.privacy.taint.conversation import Turn, exchange, links, turn_digest

KEY = b"k" * 32
LONG, OTHER = "The red boat comes back to the island.", "The green car is in the garage today."


def turns(*texts: str) -> list[tuple[int, Turn]]:
    """Return turns as a conversation has them: the client's and the assistant's one after the other."""
    return [(number, Turn(*turn_digest(text, KEY), number % 2 == 0)) for number, text in enumerate(texts)]


def hashes(*texts: str, key: bytes = KEY) -> set[bytes]:
    """Return all hashes by which a conversation is known."""
    return {link.hash for link in links(turns(*texts), key)}


def test_what_comes_later_knows_the_conversation() -> None:
    """Every hash is among those of the longer conversation that follows it, whatever was answered."""
    short = hashes(LONG, "Yes.", "And?")
    assert short
    assert short < hashes(LONG, "Yes.", "And?", "No.", "So?")
    assert hashes(LONG) & hashes(LONG, OTHER, "And?")


def test_a_conversation_whose_beginning_was_cut_off_is_known() -> None:
    """Two neighbouring turns are enough."""
    assert hashes("Hola", "Yes.", LONG, "Yes.", OTHER) & hashes(LONG, "Yes.", OTHER, "Yes.", "And?")


def test_the_answer_belongs_to_the_conversation() -> None:
    """A question and its answer are known together, also where the question alone is too short."""
    answer = Turn(*turn_digest(LONG + OTHER, KEY), False)
    assert set(exchange(turns("Hola"), answer, KEY)) & hashes("Hola", LONG + OTHER, "x")
    assert exchange(turns("Hola", "Let me look."), answer, KEY) == exchange(turns("Hola"), answer, KEY)
    assert not exchange([], answer, KEY)


def test_beginnings_that_are_too_short_identify_nothing() -> None:
    """Greetings and their answers have no hash."""
    assert hashes("Hola", "¡Hola! ¿En qué puedo ayudarte?", "Una duda.") == set()
    assert not exchange(turns("Hola"), turns("x", "¡Hola! ¿En qué puedo ayudarte hoy?")[1][1], KEY)


def test_turns_are_not_mixed_up_and_hashes_are_keyed() -> None:
    """Other turns, another order or another key give other hashes."""
    assert not hashes(LONG, "x", OTHER) & hashes(OTHER, "x", LONG)
    assert not hashes(LONG) & hashes(LONG, key=b"x" * 32)
    assert not hashes(LONG + OTHER, "x", "y") & hashes(LONG, "x", OTHER + "y")


def test_each_hash_says_from_which_turn_on_it_holds() -> None:
    """A hash that a later turn is part of belongs to that turn."""
    found = list(links(turns("Hola", "Yes.", LONG, "Yes.", "And?"), KEY))
    assert {(link.turn, link.message) for link in found} == {(2, 2), (3, 4)}
    found = list(links(turns(LONG, OTHER, "And?"), KEY))
    assert {(link.turn, link.message) for link in found} == {(1, 0), (2, 1), (2, 2)}
