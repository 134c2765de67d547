"""A conversation is recognised by its prefixes, and a long turn or answer by itself."""

import pytest

from gateway.core.request import ChatRequest, Dialect, EmbeddingsRequest, Message, ToolCall
from gateway.privacy.taint.conversation import answer_hashes, prefix_hashes

KEY = b"k" * 32
LONG = "Informe: " + "palabra " * 40


def chat(*turns: tuple[str, str]) -> ChatRequest:
    messages = tuple(Message(role=role, text=text) for role, text in turns)
    return ChatRequest(dialect=Dialect.OPENAI, model="auto", document={}, messages=messages)


SYSTEM, QUESTION = ("system", "You are kind."), ("user", "hola")


def test_what_comes_later_knows_the_conversation() -> None:
    """Every prefix's hash is among those of the longer conversation that follows it."""
    short = prefix_hashes(chat(SYSTEM, QUESTION), KEY)
    longer = prefix_hashes(chat(SYSTEM, QUESTION, ("assistant", "sí"), ("user", "resume")), KEY)
    assert short
    assert set(short) < set(longer)


def test_the_answer_of_the_local_model_belongs_to_the_conversation() -> None:
    """The next request, which has the answer as a turn, is recognised by it."""
    answered = answer_hashes(chat(SYSTEM, QUESTION), "la respuesta", KEY)
    following = prefix_hashes(chat(SYSTEM, QUESTION, ("assistant", "la respuesta"), ("user", "y?")), KEY)
    assert set(answered) & set(following)


@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
def test_a_long_turn_is_recognised_in_another_conversation(role: str) -> None:
    """A long turn or answer is recognised when it is pasted into a conversation with another beginning."""
    pasted = set(prefix_hashes(chat(("user", "otra cosa"), ("user", LONG)), KEY))
    assert set(prefix_hashes(chat(SYSTEM, QUESTION, (role, LONG)), KEY)) & pasted
    assert set(answer_hashes(chat(SYSTEM, QUESTION), LONG, KEY)) & pasted


def test_a_shared_system_prompt_alone_is_never_remembered() -> None:
    """A system prompt alone is not remembered, or one sensitive conversation would keep all of an app's at home."""
    assert prefix_hashes(chat(("system", LONG), ("developer", LONG)), KEY) == ()
    one, other = (
        prefix_hashes(chat(("system", LONG), QUESTION), KEY),
        prefix_hashes(chat(("system", LONG), ("user", "x")), KEY),
    )
    assert not set(one) & set(other)


def test_the_encoding_is_unambiguous_and_keyed() -> None:
    """Text moved between turns, calls or keys changes the hash."""
    calls = tuple(ToolCall(id="1", name=name, arguments=arguments) for name, arguments in (("f", "ab"), ("fa", "b")))
    hashes = [
        prefix_hashes(
            ChatRequest(
                dialect=Dialect.OPENAI,
                model="m",
                document={},
                messages=(Message(role="assistant", text="", tool_calls=(call,)),),
            ),
            KEY,
        )
        for call in calls
    ]
    assert hashes[0] != hashes[1]
    assert (
        prefix_hashes(chat(("user", "ab"), ("user", "c")), KEY)[-1]
        != prefix_hashes(chat(("user", "a"), ("user", "bc")), KEY)[-1]
    )
    assert prefix_hashes(chat(QUESTION), KEY) != prefix_hashes(chat(QUESTION), b"x" * 32)


def test_other_requests_have_no_conversation() -> None:
    """A request for embeddings has no conversation hashes."""
    request = EmbeddingsRequest(dialect=Dialect.OPENAI, model="m", document={}, inputs=("hola",))
    assert prefix_hashes(request, KEY) == () == answer_hashes(request, "x", KEY)
