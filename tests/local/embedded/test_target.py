"""The embedded target with the starter model: one worker for all tests that leave it alive."""

import asyncio
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from gateway.core.delta import Delta, Finish, FinishReason, Reasoning, Text, ToolCallPart, UsageReport
from gateway.core.document import Json, freeze_object, thaw
from gateway.core.errors import (
    BadRequest,
    ContextLengthExceeded,
    TargetBusy,
    TargetError,
    TargetRejected,
    TargetTimeout,
    TargetUnavailable,
)
from gateway.core.labels import Label, Zone
from gateway.core.request import (
    ChatRequest,
    CompletionRequest,
    Dialect,
    EmbeddingsRequest,
    GenerateRequest,
    Message,
    ResponseFormat,
    Sampling,
    Thinking,
)
from gateway.core.target import TargetInfo
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from gateway.local.models.events import WorkerEvent, WorkerEventKind
from tests.standins.machine import repack_works, starter

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]
DOCUMENT = freeze_object({})
TOOL = freeze_object(
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 20}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
)


def made(listener: list[WorkerEvent] | None = None, **changes: object) -> EmbeddedTarget:
    """A target on the starter model with small windows."""
    settings: dict[str, object] = {"model": str(starter()), "context": 512, "slots": 4, "threads": 1, "batch": 128}
    settings["repack"] = repack_works()
    context = TargetInfo(
        name="home", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="smollm2", context=512
    )
    heard = listener.append if listener is not None else None
    return EmbeddedTarget(context, EmbeddedSettings(**(settings | changes)), listener=heard)  # type: ignore[arg-type]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[EmbeddedTarget]:
    """A running target."""
    target = made()
    await target.start()
    await answer(target, complete("Hello"))  # from here on the model is loaded
    yield target
    await target.close()


def chat(
    text: str, *, tools: bool = False, choice: Json = None, form: ResponseFormat | None = None, **sampling: object
):
    """A conversation of one question."""
    return ChatRequest(
        dialect=Dialect.OPENAI,
        model="m",
        document=DOCUMENT,
        messages=(Message(role="user", text=text),),
        tools=(TOOL,) if tools else (),
        tool_choice=choice,
        response_format=form or ResponseFormat(),
        sampling=Sampling(**({"temperature": 0.0, "max_tokens": 16} | sampling)),  # type: ignore[arg-type]
    )


def complete(*prompts: str | tuple[int, ...], echo: bool = False, **sampling: object) -> CompletionRequest:
    """Text to continue."""
    return CompletionRequest(
        dialect=Dialect.OPENAI,
        model="m",
        document=DOCUMENT,
        prompts=prompts,
        echo=echo,
        sampling=Sampling(**({"temperature": 0.0, "max_tokens": 16} | sampling)),  # type: ignore[arg-type]
    )


def soon(seconds: float = 60.0) -> float:
    """A deadline."""
    return asyncio.get_running_loop().time() + seconds


async def answer(target: EmbeddedTarget, request: GenerateRequest, isolation: str = "a") -> list[Delta]:
    """All deltas."""
    return [delta async for delta in target.generate(request, deadline=soon(), isolation=isolation)]


async def killed(target: EmbeddedTarget, prompt: str, number: signal.Signals, received: list[Delta]) -> None:
    """An answer whose worker is killed after its third delta."""
    stream = target.generate(complete(prompt, max_tokens=400, ignore_eos=True), deadline=soon(), isolation="")
    async for delta in stream:
        received.append(delta)
        if len(received) == 3:
            assert target._worker.pid is not None
            os.kill(target._worker.pid, number)


async def until(true: Callable[[], bool]) -> None:
    """Waits for a fact that nobody announces."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - facts are polled by the policy as well
            await asyncio.sleep(0.01)


def process_file(pid: int | None, name: str) -> Path:
    """A file under /proc."""
    return Path(f"/proc/{pid}/{name}")


def text_of(deltas: list[Delta], index: int = 0) -> str:
    """The text of one choice."""
    return "".join(delta.text for delta in deltas if isinstance(delta, Text) and delta.index == index)


def usage_of(deltas: list[Delta]):
    """The report at the end."""
    assert isinstance(deltas[-1], UsageReport)
    return deltas[-1].usage


def finishes(deltas: list[Delta]) -> dict[int, FinishReason]:
    """How each choice ended; each exactly once."""
    ends = [delta for delta in deltas if isinstance(delta, Finish)]
    assert len(ends) == len({end.index for end in ends})
    return {end.index: end.reason for end in ends}


async def test_a_whole_answer(shared: EmbeddedTarget) -> None:
    """An answer has text, one finish and one usage report with exact counts."""
    request = complete("The capital of France is", max_tokens=3)
    assert await shared.prompt_tokens(request) == 5
    deltas = await answer(shared, request)
    assert text_of(deltas).startswith(" Paris")
    assert finishes(deltas) == {0: FinishReason.LENGTH}
    usage = usage_of(deltas)
    assert (usage.prompt_tokens, usage.completion_tokens) == (5, 3)


async def test_far_too_long_prompts_count_as_long(shared: EmbeddedTarget) -> None:
    """Policies see that a far too long prompt is long, though nobody tokenises megabytes for them."""
    assert (await shared.prompt_tokens(chat("x" * 5_000_000)) or 0) > 1_000_000
    assert await shared.prompt_tokens(chat("word " * 600)) == 600 + 31


async def test_an_end_token_ends_the_answer_and_is_no_text(shared: EmbeddedTarget) -> None:
    """An end token ends the answer, and no special token shows in its text."""
    deltas = await answer(shared, chat("Say hi.", max_tokens=300))
    assert finishes(deltas) == {0: FinishReason.STOP}
    assert "<|" not in text_of(deltas)


async def test_the_same_prompt_again_comes_from_the_cache(shared: EmbeddedTarget) -> None:
    """A repeated prompt comes from the cache but for its last token, with the same text; another key shares nothing."""
    request = complete("Bees live in hives. Ants live in nests. Birds live in", max_tokens=3)
    first = await answer(shared, request, "cache-a")
    again = await answer(shared, request, "cache-a")
    other = await answer(shared, request, "cache-b")
    assert text_of(first) == text_of(again) == text_of(other)
    assert usage_of(first).input_cached == 0
    assert usage_of(again).input == 1
    assert usage_of(other).input_cached == 0


async def test_eight_streams_interleave(shared: EmbeddedTarget) -> None:
    """More streams than slots all end with the text that each gets alone; those in slots advance together."""
    order: list[int] = []

    async def one(number: int) -> str:
        text = ""
        request = complete(f"The number {number} is", max_tokens=12, ignore_eos=True)
        async for delta in shared.generate(request, deadline=soon(), isolation="x"):
            if isinstance(delta, Text):
                order.append(number)
                text += delta.text
        return text

    texts = await asyncio.gather(*(one(number) for number in range(8)))
    switches = sum(one != other for one, other in itertools.pairwise(order))
    assert switches > 12
    for number in (0, 5):
        alone = await answer(shared, complete(f"The number {number} is", max_tokens=12, ignore_eos=True), "y")
        assert texts[number][:8] == text_of(alone)[:8]


@pytest.mark.parametrize("stop", ["five", "four five", " fi", "r f"])
async def test_stop_strings_over_token_borders(stop: str, shared: EmbeddedTarget) -> None:
    """The answer ends before a stop string, which may lie across tokens; nothing of it leaks."""
    deltas = await answer(shared, complete("Count: one two three", stop=(stop,), max_tokens=12))
    text = text_of(deltas)
    assert finishes(deltas) == {0: FinishReason.STOP}
    assert stop not in text
    assert " four five".startswith(text)


async def test_seeds_repeat_alone(shared: EmbeddedTarget) -> None:
    """The same seed gives the same text when alone; another seed does not, and choices differ."""
    prompt = "Once upon a time there was a"
    await answer(shared, complete(prompt, temperature=1.2, seed=7))
    one, two = [text_of(await answer(shared, complete(prompt, temperature=1.2, seed=7))) for _ in range(2)]
    other = text_of(await answer(shared, complete(prompt, temperature=1.2, seed=8)))
    assert one == two != other
    both = await answer(shared, complete(prompt, temperature=1.2, seed=7, n=2))
    assert text_of(both, 0) != text_of(both, 1)
    assert usage_of(both).prompt_tokens == 7


async def test_several_prompts_and_echo(shared: EmbeddedTarget) -> None:
    """Prompts may be several, as text or token ids; the prompt stands in front of the answer where asked for."""
    deltas = await answer(shared, complete("One two three", (504, 3575, 282, 4649, 314), echo=True, max_tokens=2))
    assert text_of(deltas, 0).startswith("One two three")
    assert text_of(deltas, 1) == "The capital of France is Paris."
    assert set(finishes(deltas)) == {0, 1}


async def test_log_probabilities(shared: EmbeddedTarget) -> None:
    """Each token comes with its log-probability and those of the likeliest tokens."""
    deltas = await answer(shared, complete("The capital of France is", max_tokens=2, logprobs=True, top_logprobs=3))
    logs = [log for delta in deltas if isinstance(delta, Text) for log in delta.logprobs]
    assert len(logs) == 2
    assert logs[0].token == " Paris"
    assert logs[0].raw == b" Paris"
    assert len(logs[0].top) == 3
    assert logs[0].top[0][1] == logs[0].logprob < 0


async def test_a_schema_is_followed(shared: EmbeddedTarget) -> None:
    """An answer with a schema is the JSON that the schema describes."""
    schema = freeze_object(
        {
            "type": "object",
            "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 99}},
            "required": ["name", "age"],
            "additionalProperties": False,
        }
    )
    form = ResponseFormat(kind="json_schema", schema=schema, strict=True)
    deltas = await answer(shared, chat("Invent a person.", form=form, max_tokens=80, temperature=1.0, seed=3))
    assert set(json.loads(text_of(deltas))) == {"name", "age"}
    assert finishes(deltas) == {0: FinishReason.STOP}
    with pytest.raises(BadRequest):
        await answer(shared, chat("x", form=ResponseFormat(kind="json_schema", schema=freeze_object({"type": "no"}))))


async def test_a_required_tool_is_called(shared: EmbeddedTarget) -> None:
    """A required tool is called with an id, its name and JSON arguments; the answer ends with tool_calls."""
    deltas = await answer(shared, chat("Weather in Paris?", tools=True, choice="required", max_tokens=60))
    pieces = [delta for delta in deltas if isinstance(delta, ToolCallPart)]
    assert [piece.name for piece in pieces if piece.id] == ["weather"]
    assert set(json.loads("".join(piece.arguments for piece in pieces))) == {"city"}
    assert finishes(deltas) == {0: FinishReason.TOOL_CALLS}


async def test_a_strict_tool_need_not_be_called(shared: EmbeddedTarget) -> None:
    """The answer may be words all the same, to their end."""
    function = thaw(TOOL["function"])
    assert isinstance(function, dict)
    strict = freeze_object({"type": "function", "function": {**function, "strict": True}})
    request = msgspec.structs.replace(chat("Say hello.", max_tokens=24), tools=(strict,))
    deltas = await answer(shared, request)
    assert text_of(deltas) or any(isinstance(delta, ToolCallPart) for delta in deltas)


async def test_a_thought_ends_with_its_budget(shared: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is thought, after so many tokens the answer begins."""
    await answer(shared, chat("Hi", max_tokens=1))
    template = shared._prompts.template
    assert template is not None
    monkeypatch.setattr(template, "format", msgspec.structs.replace(template.format, thinks=True))
    monkeypatch.setattr(template, "opens_thought", lambda prompt: True)
    request = msgspec.structs.replace(
        chat("Tell me of the sea.", max_tokens=40), thinking=Thinking(enabled=True, budget=8)
    )
    deltas = await answer(shared, request)
    usage = deltas[-1]
    assert isinstance(usage, UsageReport)
    assert any(isinstance(delta, Reasoning) for delta in deltas)
    assert text_of(deltas)
    assert 8 <= usage.usage.reasoning <= 16


async def test_vectors(shared: EmbeddedTarget) -> None:
    """Each input gets a vector of length one, shortened where asked for; vectors of near texts are near."""
    request = EmbeddingsRequest(
        dialect=Dialect.OPENAI, model="m", document=DOCUMENT, inputs=("a cat", "two cats", "stock market", (504,))
    )
    result = await shared.embed(request, deadline=soon())
    assert len(result.vectors) == 4
    assert all(abs(sum(x * x for x in vector) - 1) < 1e-4 for vector in result.vectors)
    dot = [sum(x * y for x, y in zip(result.vectors[0], result.vectors[i], strict=True)) for i in (1, 2)]
    assert dot[0] > dot[1]
    short = EmbeddingsRequest(dialect=Dialect.OPENAI, model="m", document=DOCUMENT, inputs=("a",), dimensions=8)
    assert len((await shared.embed(short, deadline=soon())).vectors[0]) == 8


@pytest.mark.parametrize(
    "request_",
    [
        complete("word " * 600),
        complete((1,) * 512),
        chat("word " * 600),
        chat("x" * 100_000_000),
        complete("x" * 100_000_000),
        EmbeddingsRequest(dialect=Dialect.OPENAI, model="m", document=DOCUMENT, inputs=("word " * 600,)),
    ],
    ids=["text", "tokens", "chat", "100 MB of chat", "100 MB of text", "embedding"],
)
async def test_what_does_not_fit_is_refused_before_it_runs(request_, shared: EmbeddedTarget) -> None:
    """A prompt that does not fit is refused with the size of the window; nothing is cut off in silence."""
    work = (
        shared.embed(request_, deadline=soon()) if isinstance(request_, EmbeddingsRequest) else answer(shared, request_)
    )
    with pytest.raises(ContextLengthExceeded, match="512"):
        await work


@pytest.mark.parametrize(
    "request_",
    [
        complete((49152,)),
        complete((-1,)),
        complete(()),
        complete("a", logit_bias=((10**6, 1.0),)),
        complete("a", n=200),
    ],
)
async def test_bad_input(request_: GenerateRequest, shared: EmbeddedTarget) -> None:
    """Bad input is refused as the client's mistake, and the worker is not touched."""
    with pytest.raises(BadRequest):
        await answer(shared, request_)


async def test_an_empty_prompt_and_special_tokens_only(shared: EmbeddedTarget) -> None:
    """An empty prompt, and one of special tokens only, still get an answer."""
    for request in (complete(""), complete((0,)), complete((2, 2, 2)), chat("")):
        assert finishes(await answer(shared, request))


async def test_cancelling_frees_the_slot(shared: EmbeddedTarget) -> None:
    """Closing the stream stops the work: the next answers find all slots free."""
    for _ in range(8):
        stream = shared.generate(complete("Once", max_tokens=400, ignore_eos=True), deadline=soon(), isolation="c")
        await anext(stream)
        await stream.aclose()
    assert shared.state().slots_busy == 0
    deltas = await answer(shared, complete("Once", max_tokens=3), "c")
    assert finishes(deltas) == {0: FinishReason.LENGTH}


async def test_a_deadline_ends_the_answer(shared: EmbeddedTarget) -> None:
    """A deadline ends the answer with an error, not with a clean end."""
    with pytest.raises(TargetTimeout):
        async for _ in shared.generate(
            complete("a", max_tokens=400, ignore_eos=True), deadline=soon(0.2), isolation=""
        ):
            pass
    assert shared.state().slots_busy == 0


async def test_facts_for_the_policy(shared: EmbeddedTarget) -> None:
    """After some answers the policy has measured facts about the target."""
    await answer(shared, complete("One two", max_tokens=8, ignore_eos=True))
    state = shared.state()
    assert state.healthy
    assert state.loaded
    assert state.queue_wait_seconds == 0.0
    assert (state.tokens_per_second or 0) > 1
    assert (state.latency_seconds or 0) > 0


async def test_a_full_queue_is_refused() -> None:
    """Behind a full queue a request is refused with a time to come back; another key still finds a place."""
    target = made(slots=1, queue=2)
    await target.start()
    streams = [
        target.generate(complete("a", max_tokens=200, ignore_eos=True), deadline=soon(), isolation="") for _ in range(2)
    ]
    first = asyncio.ensure_future(anext(streams[0]))
    await first
    second = asyncio.ensure_future(anext(streams[1]))
    await until(lambda: target.state().queue_depth == 1)
    with pytest.raises(TargetBusy) as caught:
        await anext(target.generate(complete("a"), deadline=soon(), isolation=""))
    assert caught.value.retry_after is not None
    light = asyncio.ensure_future(
        anext(target.generate(complete("b", max_tokens=1), deadline=soon(), isolation="light"))
    )
    await until(lambda: target.state().queue_depth == 2)
    for waiting in (second, light):
        waiting.cancel()
        await asyncio.wait([waiting])
    for stream in streams:
        await stream.aclose()
    await target.close()


async def test_a_killed_worker_costs_its_requests_an_error_and_is_restarted() -> None:
    """A worker killed in mid-stream gives an error, never a clean end; the next request is served, the cause told."""
    events: list[WorkerEvent] = []
    target = made(events)
    await target.start()
    received: list[Delta] = []
    with pytest.raises(TargetError) as caught:
        await killed(target, "Once", signal.SIGKILL, received)
    assert caught.value.status == 502
    assert not any(isinstance(delta, Finish | UsageReport) for delta in received)
    assert finishes(await answer(target, complete("Once", max_tokens=3))) == {0: FinishReason.LENGTH}
    died = [event for event in events if event.kind is WorkerEventKind.DIED]
    assert [(event.restarts, event.cause) for event in died] == [(1, "signal_9")]
    await target.close()
    with pytest.raises(TargetUnavailable):
        await answer(target, complete("Once"))


async def test_a_request_that_crashes_the_worker_twice_is_refused() -> None:
    """A request that has crashed the worker twice is refused, and others go on being served."""
    target = made(restart_longest=0.1)
    await target.start()
    for _ in range(2):
        with pytest.raises(TargetError):
            await killed(target, "poison", signal.SIGSEGV, [])
        await until(lambda: target.state().loaded is True)
    with pytest.raises(TargetRejected, match="twice"):
        await answer(target, complete("poison", max_tokens=400, ignore_eos=True))
    assert finishes(await answer(target, complete("bread", max_tokens=2)))
    await target.close()


async def test_a_model_that_can_not_be_loaded(tmp_path: Path) -> None:
    """A model that can't be loaded gives 503 without its path, which only the log gets; the state says unhealthy."""
    path = tmp_path / "broken.gguf"
    path.write_bytes(starter().read_bytes()[:1_000_000])
    events: list[WorkerEvent] = []
    target = made(events, model=str(path))
    await target.start()
    with pytest.raises(TargetUnavailable, match="missing, incomplete") as caught:
        await answer(target, complete("a"))
    assert str(tmp_path) not in caught.value.message
    assert str(path) in events[-1].detail
    assert "complete GGUF file" in events[-1].detail
    assert caught.value.status == 503
    assert not target.state().healthy
    assert events[-1].cause == "load"
    await target.close()


async def test_no_memory_for_the_window() -> None:
    """Where the window does not fit into memory, the error says what to turn down."""
    target = made(context=4_194_304, slots=64)
    await target.start()
    with pytest.raises(TargetUnavailable, match="turn down") as caught:
        await answer(target, complete("a"))
    assert "does not fit" in caught.value.message
    assert "/" not in caught.value.message
    await target.close()


async def test_the_worker_sees_no_secrets(shared: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the gateway's environment don't reach the worker."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-of-the-test")
    target = made()
    await target.start()
    await answer(target, complete("a", max_tokens=1))
    environment = process_file(target._worker.pid, "environ").read_bytes()
    await target.close()
    assert b"sk-secret" not in environment


async def test_the_worker_ends_with_its_gateway() -> None:
    """A closed socket ends the worker: no orphan keeps the model in memory."""
    target = made()
    await target.start()
    await answer(target, complete("a", max_tokens=1))
    pid = target._worker.pid
    assert pid is not None
    await target.close()
    assert not process_file(pid, "environ").exists()
