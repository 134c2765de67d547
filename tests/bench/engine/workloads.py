"""What people do with a local model, as requests. Each workload returns the numbers that it is about."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable

import msgspec

from tests.bench.engine.client import Stream, ask, together, usage_of

_WORDS = tuple(
    [
        "time",
        "year",
        "people",
        "way",
        "day",
        "man",
        "thing",
        "woman",
        "life",
        "child",
        "world",
        "school",
        "state",
        "family",
        "student",
        "group",
        "country",
        "problem",
        "hand",
        "part",
        "place",
        "case",
        "week",
        "company",
        "system",
        "program",
        "question",
        "work",
        "number",
        "night",
        "point",
        "home",
        "water",
        "room",
        "mother",
        "area",
        "money",
        "",
    ][:-1]
)
TEXT, CHAT = "/v1/completions", "/v1/chat/completions"
_SCHEMA = {
    "type": "object",
    "properties": {
        "names": {"type": "array", "items": {"type": "string", "minLength": 8, "maxLength": 24}, "minItems": 8},
        "total": {"type": "integer"},
    },
    "required": ["names", "total"],
    "additionalProperties": False,
}


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A running server."""

    name: str
    port: int
    pid: int
    health: str = "/health"


Numbers = dict[str, float]
Workload = Callable[[Server, int], Awaitable[Numbers]]


def words(count: int, seed: int) -> str:
    """About `count` tokens of text that nobody has sent before."""
    draw = random.Random(seed)
    return f"Request {draw.randrange(10**6)}. " + " ".join(draw.choice(_WORDS) for _ in range(count))


def _body(prompt: str, tokens: int, **more: object) -> dict:
    return {"prompt": prompt, "max_tokens": tokens, "temperature": 0, "ignore_eos": True} | more


def _numbers(server: Server, wall: float, answers: list[Stream], cpu: float) -> Numbers:
    for answer in answers:
        if answer.error:
            raise RuntimeError(f"{server.name}: {answer.error}")
    tokens = sum(answer.tokens for answer in answers)
    firsts = sorted(answer.first for answer in answers)
    return {
        "wall": wall,
        "tokens/s": tokens / wall,
        "ttft p50": statistics.median(firsts),
        "ttft p95": firsts[min(len(firsts) - 1, round(0.95 * (len(firsts) - 1)))],
        "cpu/1k": cpu / tokens * 1000,
    }


async def _measured(server: Server, bodies: list[dict], concurrency: int, path: str = TEXT) -> Numbers:
    before, _ = usage_of(server.pid)
    wall, answers = await together(server.port, path, bodies, concurrency)
    after, _ = usage_of(server.pid)
    return _numbers(server, wall, answers, after - before)


def throughput(prompt: int, concurrency: int, temperature: float, tokens: int = 128) -> Workload:
    """New prompts, so many streams at once."""

    async def run(server: Server, seed: int) -> Numbers:
        extra = {"temperature": temperature, "seed": 7} if temperature else {}
        count = max(2, concurrency)
        bodies = [_body(words(prompt - 6, seed + i), tokens, **extra) for i in range(count)]
        return await _measured(server, bodies, concurrency)

    return run


async def shared_cold(server: Server, seed: int) -> Numbers:
    """Sixteen requests at once with one beginning of about 1,000 tokens that nobody has sent before."""
    beginning = words(960, seed) + "\nQuestion: "
    return await _measured(server, [_body(beginning + words(20, seed + 1 + i), 32) for i in range(16)], 16)


async def four_prompts(server: Server, seed: int) -> Numbers:
    """Four system prompts in turn, eight streams."""
    beginnings = [words(700, seed + i) + "\nQuestion: " for i in range(4)]
    bodies = [_body(beginnings[i % 4] + words(20, seed + 100 + i), 16) for i in range(32)]
    return await _measured(server, bodies, 8)


def conversations(users: int) -> Workload:
    """Turns 2 to 6 of conversations whose users all speak at once."""

    async def run(server: Server, seed: int) -> Numbers:
        histories = [words(150, seed + i) for i in range(users)]
        walls, firsts, tokens, cpu = [], [], 0, 0.0
        for turn in range(6):
            before, _ = usage_of(server.pid)
            wall, answers = await together(server.port, TEXT, [_body(text, 64) for text in histories], users)
            after, _ = usage_of(server.pid)
            if turn:
                walls.append(wall)
                firsts += [answer.first for answer in answers]
                tokens += sum(answer.tokens for answer in answers)
                cpu += after - before
            histories = [
                f"{text}{answer.text}\nUser: {words(30, seed + 1000 * turn + i)}\nAssistant:"
                for i, (text, answer) in enumerate(zip(histories, answers, strict=True))
            ]
        firsts.sort()
        return {
            "wall": sum(walls),
            "tokens/s": tokens / sum(walls),
            "ttft p50": statistics.median(firsts),
            "ttft p95": firsts[round(0.95 * (len(firsts) - 1))],
            "cpu/1k": cpu / tokens * 1000,
        }

    return run


def schema(strict: bool) -> Workload:
    """Eight chats at once, with and without a JSON schema."""

    async def run(server: Server, seed: int) -> Numbers:
        form = {"type": "json_schema", "json_schema": {"name": "list", "schema": _SCHEMA, "strict": True}}
        more = {"response_format": form} if strict else {"ignore_eos": True}
        bodies = [
            {
                "messages": [{"role": "user", "content": f"List things as JSON. {words(20, seed + i)}"}],
                "max_tokens": 64,
                "temperature": 0,
            }
            | more
            for i in range(8)
        ]
        return await _measured(server, bodies, 8, CHAT)

    return run


async def flood(server: Server, seed: int) -> Numbers:
    """An app that asks now and then, alone and beside one that keeps 32 requests under way all the time.

    The numbers are the light app's beside the flood; `alone` is its TTFT p95 before. Apps are told apart by `user`
    here, by their keys in the gateway; llama-server does not tell them apart.
    """

    async def light(first: int) -> list[Stream]:
        until = time.perf_counter() + 15.0  # where there is no fairness, each waits for seconds
        answers: list[Stream] = []
        while len(answers) < 24 and time.perf_counter() < until:
            answers.append(await ask(server.port, TEXT, _body(words(24, first + len(answers)), 8, user="light")))
        return answers

    async def crowd(number: int) -> None:
        while True:
            number += 1000
            await ask(server.port, TEXT, _body(words(24, seed + number), 128, user="flood"))

    quiet = _numbers(server, 1.0, await light(seed), 0.0)
    async with asyncio.TaskGroup() as tasks:
        crowds = [tasks.create_task(crowd(number)) for number in range(32)]
        await asyncio.sleep(2.0)
        before, _ = usage_of(server.pid)
        began = time.perf_counter()
        answers = await light(seed + 500)
        wall = time.perf_counter() - began
        after, _ = usage_of(server.pid)
        for task in crowds:
            task.cancel()
    return _numbers(server, wall, answers, after - before) | {"alone": quiet["ttft p95"]}


WORKLOADS: dict[str, Workload] = {
    **{
        f"{prompt} tokens, T {temperature}, {concurrency} streams": throughput(prompt, concurrency, temperature)
        for prompt, temperature, concurrency in (
            (30, 0.0, 1),
            (30, 0.0, 4),
            (30, 0.0, 8),
            (30, 0.0, 16),
            (30, 0.8, 1),
            (30, 0.8, 8),
            (500, 0.0, 8),
            (2000, 0.0, 4),
        )
    },
    "16 cold, one beginning": shared_cold,
    "4 system prompts, 8 streams": four_prompts,
    "conversation, 1 user": conversations(1),
    "conversation, 8 users": conversations(8),
    "free text, 8 chats": schema(False),
    "JSON schema, 8 chats": schema(True),
    "light app beside a flood": flood,
}
