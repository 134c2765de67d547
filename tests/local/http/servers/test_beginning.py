"""How a conversation begins: the same in every turn, and another one in another conversation."""

import json

from gateway.core.request import ChatRequest
from gateway.local.http.servers.beginning import beginning_of
from gateway.wire import openai

SYSTEM = {"role": "system", "content": "You are a careful clerk. " * 400}


def chat(*turns: str, system: dict[str, str] | None = SYSTEM) -> ChatRequest:
    """A conversation: the user's turns and the assistant's by turns."""
    said = [{"role": "user" if number % 2 == 0 else "assistant", "content": turn} for number, turn in enumerate(turns)]
    messages = [*([system] if system else []), *said]
    return openai.parse_chat(json.dumps({"model": "auto", "messages": messages}).encode())


def test_it_stays_the_same_while_the_conversation_goes_on() -> None:
    """Later turns don't change it."""
    assert beginning_of(chat("hello")) == beginning_of(chat("hello", "hi", "and now?", "well"))


def test_another_conversation_has_another_one() -> None:
    """Other first words, another system prompt, or none."""
    found = {
        beginning_of(chat("hello")),
        beginning_of(chat("good morning")),
        beginning_of(chat("hello", system=None)),
        beginning_of(chat("hello", system={"role": "system", "content": "Be brief."})),
        beginning_of(chat("hello", system={"role": "developer", "content": "Be brief."})),
    }
    assert len(found) == 5


def test_texts_to_continue_have_one_too() -> None:
    """Of a prompt in characters or in tokens, the beginning counts."""

    def completion(prompt: object) -> bytes:
        return beginning_of(openai.parse_completion(json.dumps({"model": "auto", "prompt": prompt}).encode()))

    long = "def f(x):\n" * 1000
    assert completion(long + "    return 1") == completion(long + "    return 2")
    assert completion("def f(x):") != completion("def g(x):")
    assert completion([1, 2, 3]) != completion([1, 2, 4])
