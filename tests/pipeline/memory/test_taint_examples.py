"""No way around the memory, over places, encodings, cuts, choices and times that hypothesis picks."""

import asyncio
import base64
import json
import os
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.delta import Delta, Reasoning, Text, ToolCallPart
from gateway.privacy import Inspector
from tests.pipeline.memory_world import STORY, World, chat

EXAMPLES = int(os.environ.get("MEMORY_EXAMPLES", "60"))
INSPECTOR: list[Inspector] = []
WORDS = STORY.split(" ")


def inspector() -> Inspector:
    """Return the one inspector of these tests: making it takes a second."""
    if not INSPECTOR:
        INSPECTOR.append(Inspector(hyperscan=False))
    return INSPECTOR[0]


@st.composite
def pieces(draw: st.DrawFn) -> list[str]:
    """The story in one piece, or cut at any places."""
    cuts = sorted(draw(st.sets(st.integers(1, len(WORDS) - 1), max_size=8)))
    bounds = [0, *cuts, len(WORDS)]
    return [" ".join(WORDS[start:end]) for start, end in pairwise(bounds)]


ENCODINGS = {
    "plain": lambda text: text,
    "capitals": str.upper,
    "lines": lambda text: "\n> ".join(text.split(" ")),
    "json": lambda text: json.dumps({"text": text}),
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "percents": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    "entities": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "hex": lambda text: text.encode().hex(),
}
AROUND = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40)
PLACES = (
    "turn", "turns", "parts", "system", "developer", "answer", "tool", "call", "prompt", "prompts", "suffix", "embed",
    "prediction", "description", "schema", "field", "deep", "name of a field",
)  # fmt: skip


def body_of(place: str, texts: list[str], before: str, after: str) -> dict[str, Any]:
    """Return a body that has the texts in this place, with others around them."""
    one = " ".join(texts)
    hello = {"role": "user", "content": "hello"}
    match place:
        case "turn":
            return chat(f"{before} {one} {after}")
        case "turns":
            turns = [turn for text in texts for turn in (text, before or "ok")]
            return chat(*turns, f"{after} so?")
        case "parts":
            return {"messages": [{"role": "user", "content": [{"type": "text", "text": text} for text in texts]}]}
        case "system" | "developer":
            return chat((place, f"{before} {one}"), ("user", "hello"))
        case "answer":
            return chat("hello", one, f"{after} so?")
        case "tool" | "call":
            said = json.dumps({"note": one}) if place == "call" else "{}"
            call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": said}}
            result = [{"type": "text", "text": text} for text in texts] if place == "tool" else "done"
            asked = {"role": "assistant", "content": None, "tool_calls": [call]}
            return {"messages": [hello, asked, {"role": "tool", "tool_call_id": "c", "content": result}]}
        case "prompt":
            return {"prompt": f"{before} {one} {after}"}
        case "prompts":
            return {"prompt": texts}
        case "suffix":
            return {"prompt": "hello", "suffix": one}
        case "embed":
            return {"input": texts}
        case "prediction":
            return chat("hello", prediction={"type": "content", "content": one})
        case "description":
            return chat("hello", tools=[{"type": "function", "function": {"name": "f", "description": one}}])
        case "schema":
            schema = {"type": "object", "properties": {"x": {"type": "string", "enum": texts}}}
            return chat("hello", tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])
        case "field":
            return chat("hello", notes={f"n{number}": text for number, text in enumerate(texts)})
        case "deep":
            return chat("hello", notes=[[{"a": [text]}] for text in texts])
        case _:
            return chat("hello", notes=dict.fromkeys(texts, 1))


def answer_of(form: str, texts: list[str]) -> list[Delta]:
    """Return an answer that says the texts, its pieces braided with others."""
    found: list[Delta] = []
    text = " ".join(texts)
    for start in range(0, len(text), 7):
        piece = text[start : start + 7]
        match form:
            case "choices":
                found += [Text(text=piece), Text(text=f"word {start} ", index=1)]
            case "reasoning":
                found += [Reasoning(text=piece), Text(text=f"word {start} ")]
            case "calls":
                found += [ToolCallPart(call=0, arguments=piece), ToolCallPart(call=1, arguments=f" {start}")]
            case _:
                found.append(Text(text=piece))
    return found


@given(
    told=st.sampled_from((*PLACES, "answered")),
    quoted=st.sampled_from(PLACES),
    told_as=st.sampled_from(sorted(ENCODINGS)),
    quoted_as=st.sampled_from(sorted(ENCODINGS)),
    told_cut=pieces(),
    quoted_cut=pieces(),
    form=st.sampled_from(("one", "choices", "reasoning", "calls")),
    time=st.sampled_from(("at once", "while it streams", "after a restart", "after others")),
    before=AROUND,
    after=AROUND,
    key=st.sampled_from(("app", "other")),
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_told_in_private_does_not_leave(
    told: str,
    quoted: str,
    told_as: str,
    quoted_as: str,
    told_cut: list[str],
    quoted_cut: list[str],
    form: str,
    time: str,
    before: str,
    after: str,
    key: str,
) -> None:
    """Told anywhere and quoted anywhere, encoded, cut, in any choice and at any time: it stays home."""
    # An encoding is taken off a text as a whole: pieces of one are encoded each by itself, where they are strings.
    say = [ENCODINGS[told_as](text) for text in (told_cut if told_as in _CUT else [STORY])]
    quote = [ENCODINGS[quoted_as](text) for text in (quoted_cut if quoted_as in _CUT else [STORY])]

    async def known() -> bool:
        world = World(inspector())
        quoting = body_of(quoted, quote, before, after)
        if told == "answered":
            world.answers(*answer_of(form, say))
            inbound = world.inbound(chat("hola", stream=True), "health")
            async with world.house.pipeline.generate(inbound, inbound.request) as answer:  # type: ignore[arg-type]
                async for delta in answer.deltas:
                    if time == "while it streams" and type(delta).__name__ == "Finish":
                        break
        else:
            await world.leaves(body_of(told, say, "", ""), "health")
        if time == "after a restart":
            world.restart()
        elif time == "after others":
            for number in range(3):
                await world.leaves(chat(f"What is the number {number}?"))
        return not await world.leaves(quoting, key="app" if told in _PER_KEY else key)

    assert asyncio.run(known())


_CUT = ("plain", "capitals", "lines")
# What many conversations of an app have in common is remembered for its key alone.
_PER_KEY = (
    "system", "developer", "prediction", "description", "schema", "field", "deep", "name of a field",
)  # fmt: skip


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("place", PLACES)
def test_what_was_never_told_leaves(place: str, encoding: str) -> None:
    """The same bodies are free as long as nobody has told the story in private."""

    async def free() -> bool:
        return await World(inspector()).leaves(body_of(place, [ENCODINGS[encoding](STORY)], "see", "well"))

    assert asyncio.run(free())
