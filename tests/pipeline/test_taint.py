"""The memory of sensitive conversations: quoted anywhere, in any kind of request, it is known again."""

import asyncio
import json
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.labels import Label
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    Dialect,
    EmbeddingsRequest,
    Message,
    RerankRequest,
)
from gateway.pipeline.taint import ConversationTaint

STORY = (
    "Since the week before last the whole team has been waiting for the letter from the north, and nobody dares to "
    "ask when it will come. The plan is to move to the old house in spring, before the others hear of it, and to tell "
    "them only then."
)
OTHER = (
    "Photosynthesis is the process by which plants make sugar out of light, water and air; in the leaves, inside tiny "
    "bodies called chloroplasts, a green dye catches the light, and oxygen is given back to the air around the plant."
)


class Store:
    """Store of hashes in memory, which counts what is asked."""

    def __init__(self) -> None:
        self.known: dict[bytes, Label] = {}
        self.asked = 0

    async def taint_lookup(self, hashes: Sequence[bytes]) -> Mapping[bytes, Label]:
        self.asked += len(hashes)
        return {item: self.known[item] for item in hashes if item in self.known}

    async def taint_causes(self, hashes: Sequence[bytes]) -> frozenset[str] | None:
        return frozenset({"id"}) if any(item in self.known for item in hashes) else None

    async def taint_remember(self, hashes: Sequence[bytes], label: Label, causes: frozenset[str] | None = None) -> None:
        self.known.update(dict.fromkeys(hashes, label))


def chat(*turns: tuple[str, str]) -> ChatRequest:
    messages = tuple(Message(role=role, text=text) for role, text in turns)
    return ChatRequest(dialect=Dialect.OPENAI, model="auto", document={}, messages=messages)


def completion(*prompts: str) -> CompletionRequest:
    return CompletionRequest(dialect=Dialect.OPENAI, model="m", document={}, prompts=prompts)


def embeddings(*inputs: str) -> EmbeddingsRequest:
    return EmbeddingsRequest(dialect=Dialect.OPENAI, model="m", document={}, inputs=inputs)


def ranking(query: str, *texts: str) -> RerankRequest:
    return RerankRequest(dialect=Dialect.OPENAI, model="m", document={}, query=query, texts=texts)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def taint(store: Store) -> ConversationTaint:
    return ConversationTaint(store, b"k" * 32)


QUOTING: list[AnyRequest] = [
    chat(("user", f"Write a title for this conversation:\nUser: {STORY}\nAssistant: I see.")),
    chat(("user", "What does she mean?\n> " + STORY.replace(", ", ",\n> "))),
    chat(("user", f"Look: «{STORY.upper()}» What now?")),
    chat(("user", "read it"), ("tool", json.dumps({"note": "first line\n" + STORY.replace(" the ", "\nthe ")}))),
    chat(("system", f"What you know of the user: {STORY}"), ("user", "hello")),
    completion(f"{STORY}\n\nAnd so"),
    embeddings("hello", STORY),
    ranking("who moves?", "x", STORY),
]


@pytest.mark.parametrize("request_", QUOTING)
@pytest.mark.parametrize("told", [chat(("user", STORY)), completion(STORY), embeddings(STORY), ranking("x", STORY)])
async def test_a_sensitive_text_is_known_wherever_it_is_quoted(
    taint: ConversationTaint, told: AnyRequest, request_: AnyRequest
) -> None:
    """A sensitive text is known again in transcripts, quotes, tool results, prompts and every kind of request."""
    assert not await taint.recall(request_)
    await taint.remember(told, Label.SENSITIVE)
    assert await taint.recall(request_)
    assert await taint.causes(request_) == frozenset({"id"})


@pytest.mark.parametrize("request_", QUOTING)
async def test_an_answer_to_a_sensitive_question_is_known_wherever_it_is_quoted(
    taint: ConversationTaint, request_: AnyRequest
) -> None:
    """The answer to a sensitive question is known again like the question, because it may say the same."""
    await taint.remember_answer(chat(("user", "hola")), STORY)
    assert await taint.recall(request_)
    assert not await taint.recall(chat(("user", OTHER)))


async def test_a_template_that_harmless_requests_had_stays_harmless(taint: ConversationTaint) -> None:
    """What went out before beside nothing sensitive may go out again; what stood beside it in secret may not."""
    await taint.harmless(chat(("user", OTHER)))
    await taint.remember(chat(("user", f"{OTHER}\n\n{STORY}")), Label.SENSITIVE)
    assert not await taint.recall(chat(("user", f"{OTHER}\n\nA new question")))
    assert await taint.recall(chat(("user", f"Another.\n\n{STORY}")))


async def test_known_turns_of_a_long_conversation_are_looked_up_once(taint: ConversationTaint, store: Store) -> None:
    """A turn is not looked up again until something sensitive is remembered; then every turn is."""
    turns = [("user" if number % 2 else "assistant", f"{number} {OTHER}") for number in range(40)]
    assert not await taint.recall(chat(*turns))
    first, store.asked = store.asked, 0
    assert not await taint.recall(chat(*turns, ("user", "and now?")))
    assert store.asked < first - 40
    await taint.remember_answer(chat(("user", "x")), f"7 {OTHER}")
    assert await taint.recall(chat(*turns, ("user", "and now?")))


async def test_a_lookup_that_was_overtaken_does_not_count(taint: ConversationTaint, store: Store) -> None:
    """When something sensitive is remembered while a lookup waits, the next request looks again."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    lookup = store.taint_lookup

    async def slow(hashes: Sequence[bytes]) -> Mapping[bytes, Label]:
        found = await lookup(hashes)
        reached.set()
        await go_on.wait()
        return found

    store.taint_lookup = slow  # type: ignore[method-assign]
    request = embeddings(STORY)
    first = asyncio.create_task(taint.recall(request))
    await reached.wait()
    await taint.remember(completion(STORY), Label.SENSITIVE)
    go_on.set()
    assert not await first
    assert await taint.recall(request)


TEXT = st.text(max_size=200)


@given(
    before=TEXT, after=TEXT, turns=st.lists(st.tuples(st.sampled_from(("user", "assistant", "tool")), TEXT), max_size=3)
)
@settings(max_examples=100, deadline=None)
def test_adding_text_around_never_lowers_the_label(before: str, after: str, turns: list[tuple[str, str]]) -> None:
    """Whatever stands before it, behind it or in other turns, a text that was told in secret is known."""

    async def known() -> bool:
        taint = ConversationTaint(Store(), b"k" * 32)
        await taint.remember(chat(("user", STORY)), Label.SENSITIVE)
        return await taint.recall(chat(*turns, ("user", f"{before} {STORY} {after}"), *turns))

    assert asyncio.run(known())
