"""A conversation is recognised by what it says, not by what it is called."""

from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.request import ChatRequest, Dialect, Message
from gateway.privacy.taint import answer_hashes, prefix_hashes

KEY = b"k" * 32
LONG = "My diagnosis came back and I would like to talk about what it means for my family. " * 4


def chat(*turns: tuple[str, str]) -> ChatRequest:
    """A conversation of (role, text) turns."""
    messages = tuple(Message(role=role, text=text) for role, text in turns)
    return ChatRequest(dialect=Dialect.OPENAI, model="auto", document=MappingProxyType({}), messages=messages)


SYSTEM = ("system", "You are helpful.")
TURNS = (SYSTEM, ("user", "I have a rash."), ("assistant", "Since when?"), ("user", "Since Monday."))


def test_every_later_turn_shares_the_earlier_prefixes():
    """What was remembered at turn one is found at turn three."""
    first = set(prefix_hashes(chat(*TURNS[:2]), KEY))
    later = set(prefix_hashes(chat(*TURNS), KEY))
    assert first
    assert first <= later


def test_other_conversations_with_the_same_system_prompt_are_strangers():
    """A system prompt alone taints nobody."""
    one = set(prefix_hashes(chat(SYSTEM, ("user", "I have a rash.")), KEY))
    other = set(prefix_hashes(chat(SYSTEM, ("user", "Write a haiku.")), KEY))
    assert not one & other
    assert prefix_hashes(chat(SYSTEM), KEY) == ()


def test_a_long_turn_is_recognised_in_a_new_conversation():
    """Pasting it under another system prompt does not wash it."""
    one = set(prefix_hashes(chat(SYSTEM, ("user", LONG)), KEY))
    pasted = set(prefix_hashes(chat(("system", "Summarise."), ("user", f"  {LONG}\n")), KEY))
    assert one & pasted


def test_the_local_answer_is_part_of_it():
    """Both as the next turn's prefix and pasted elsewhere."""
    question = chat(*TURNS[:2])
    hashes = set(answer_hashes(question, LONG, KEY))
    following = set(prefix_hashes(chat(*TURNS[:2], ("assistant", LONG), ("user", "And now?")), KEY))
    assert hashes <= following
    assert hashes & set(prefix_hashes(chat(("user", LONG)), KEY))


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=20)), min_size=1, max_size=5))
def test_two_conversations_that_read_differently_have_different_ends(turns):
    """Moving text between turns makes another conversation."""
    request = chat(*turns)
    joined = chat((turns[0][0], "".join(text for _, text in turns)))
    if request.messages != joined.messages and len(turns) > 1:
        assert prefix_hashes(request, KEY)[-1] != prefix_hashes(joined, KEY)[-1]


def test_another_key_gives_other_hashes():
    """Hashes of one gateway say nothing to another."""
    assert not set(prefix_hashes(chat(*TURNS), KEY)) & set(prefix_hashes(chat(*TURNS), b"j" * 32))
