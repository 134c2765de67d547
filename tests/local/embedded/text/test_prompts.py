"""Prompts: what is large is worked on beside the event loop, and nothing is remembered longer than its request."""

import asyncio
import gc
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.core.document import Json, freeze_object
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    Dialect,
    EmbeddingsRequest,
    Message,
    RerankRequest,
    ResponseFormat,
    ToolCall,
)
from gateway.local.embedded.text.media import MeasuredMedium
from gateway.local.embedded.text.prompts import Prepared, Prompts, heavier_than

SHARED: dict[str, Any] = {"dialect": Dialect.OPENAI, "model": "m", "document": freeze_object({})}
LONG = "x" * 5_000
SCHEMA = freeze_object({"properties": {f"field_{n}": {"type": "string", "description": "d"} for n in range(200)}})


def chat(text: str = "Hello", **fields: Any) -> ChatRequest:
    """A conversation of one message."""
    return ChatRequest(**SHARED, messages=(Message(role="user", text=text),), **fields)


def tool(parameters: Json) -> Json:
    """A tool with this schema."""
    return freeze_object({"type": "function", "function": {"name": "f", "parameters": parameters}})


HEAVY: dict[str, AnyRequest] = {
    "a message": chat(LONG),
    "a tool's schema": chat(tools=(tool(SCHEMA),)),
    "a schema of only numbers": chat(tools=(tool(freeze_object({"enum": list(range(5_000))})),)),
    "a long name in a schema": chat(tools=(tool(freeze_object({LONG: 1})),)),
    "the answer's schema": chat(response_format=ResponseFormat(kind="json_schema", schema=SCHEMA)),
    "a choice of tools": chat(tool_choice=SCHEMA),
    "many messages": ChatRequest(**SHARED, messages=(Message(role="user", text="a"),) * 1_000),
    "a call's arguments": ChatRequest(
        **SHARED,
        messages=(Message(role="assistant", text="", tool_calls=(ToolCall(id="1", name="f", arguments=LONG),)),),
    ),
    "reasoning": ChatRequest(**SHARED, messages=(Message(role="assistant", text="", reasoning=LONG),)),
    "a prompt": CompletionRequest(**SHARED, prompts=(LONG,)),
    "the end of a text to fill in": CompletionRequest(**SHARED, prompts=("",), suffix=LONG),
    "a prompt of tokens": CompletionRequest(**SHARED, prompts=((1,) * 5_000,)),
    "many inputs": EmbeddingsRequest(**SHARED, inputs=("a",) * 1_000),
    "a query beside many texts": RerankRequest(**SHARED, query="q" * 500, texts=("a",) * 10),
}
LIGHT: dict[str, AnyRequest] = {
    "a question": chat(),
    "with a small tool": chat(tools=(tool(freeze_object({"properties": {"city": {"type": "string"}}})),)),
    "a short prompt": CompletionRequest(**SHARED, prompts=("Once", (1, 2, 3))),
}


class Recording(Prompts):
    """Prompts without a model: notes which thread works on each request."""

    def __init__(self) -> None:
        super().__init__(Path("none.gguf"), 512)
        self.threads: list[threading.Thread] = []

    def _open(self) -> None:
        pass

    def _prepare(self, request: AnyRequest, media: tuple[MeasuredMedium, ...] = ()) -> Prepared:
        self.threads.append(threading.current_thread())
        return Prepared(prompts=((1,),))


@pytest.mark.parametrize("what", HEAVY)
async def test_what_is_large_never_holds_up_the_loop(what: str) -> None:
    """Wherever the characters stand: in messages, tools, schemas, calls or inputs."""
    prompts = Recording()
    await prompts.open(512)
    await prompts.prepare(HEAVY[what])
    assert prompts.threads[0] is not threading.main_thread()
    prompts.close()


@pytest.mark.parametrize("what", LIGHT)
async def test_what_is_small_is_done_at_once(what: str) -> None:
    """A thread would take longer than the work."""
    prompts = Recording()
    await prompts.open(512)
    await prompts.prepare(LIGHT[what])
    assert prompts.threads[0] is threading.main_thread()
    prompts.close()


def test_the_weight_of_a_huge_request_is_known_after_a_few_steps() -> None:
    """Looking stops at the limit, so that it costs nothing itself."""
    endless: Json = "x"
    for _ in range(12):
        endless = (endless,) * 1_000  # at the end more strings than could ever be counted
    assert heavier_than(chat(tool_choice=endless), 4_000)


async def test_a_counted_prompt_is_remembered_as_long_as_its_request() -> None:
    """Counted and then answered it is prepared once; when the request is gone, so are its tokens."""
    prompts = Recording()
    await prompts.open(512)
    requests = [chat(str(number)) for number in range(100)]
    counted = await asyncio.gather(*(prompts.prepare(request) for request in requests))
    assert [await prompts.prepare(request) for request in requests] == counted
    assert len(prompts.threads) == 100
    assert len(prompts._known) == 100
    del requests
    gc.collect()
    assert not prompts._known
    prompts.close()
