"""The model's own answers to private questions, quoted without a tag: whole, in choices and calls, and as they come."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import msgspec

from gateway.cli.audit.cases import AuditCase, Numbers, remembered
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.memory.quotes import Pair
from gateway.cli.audit.memory.streams import open_answer
from gateway.cli.audit.planted.dialects import TALKING
from gateway.cli.audit.planted.places import CHAT, COMPLETIONS, Body, Place
from gateway.cli.audit.planted.tags import PRIVATE
from gateway.cli.audit.recorder import BRAIDED_TOOL, TOOL, answer, thought
from gateway.cli.audit.stories import line

_SOME_LETTERS = 260  # of an answer of about 400
_SURE_LETTERS = 220  # a quotation that memory promises to know, wherever it begins
_STREAMED: dict[str, Place] = {
    **{name: place for name, place in TALKING.items() if name.endswith("streamed")},
    "Ollama generate, streamed": Place(
        path="/api/generate", body=lambda marker, text: {"model": "auto", "prompt": f"{marker} {text}"}
    ),
}
_NOTE: Body = {"name": TOOL, "parameters": {"type": "object", "properties": {"note": {"type": "string"}}}}
_ANTHROPIC_NOTE: Body = {"name": TOOL, "input_schema": _NOTE["parameters"]}
_BRAIDED: Body = {"type": "function", "function": _NOTE | {"name": BRAIDED_TOOL}}
# What makes a request answered in more than one piece, by its name: the change, and how many pieces.
_SEVERAL: dict[str, tuple[Place, Body, int]] = {
    "two choices": (CHAT["user"], {"n": 2}, 2),
    "two choices, streamed": (CHAT["user, streamed"], {"n": 2}, 2),
    "three choices of a completion": (COMPLETIONS["prompt"], {"n": 3}, 3),
    "two prompts": (COMPLETIONS["prompts"], {}, 3),
    "two prompts, streamed": (COMPLETIONS["prompts"], {"stream": True}, 3),
    "two calls": (CHAT["user"], {"tools": [{"type": "function", "function": _NOTE}]}, 2),
    "two calls, streamed": (CHAT["user, streamed"], {"tools": [{"type": "function", "function": _NOTE}]}, 2),
    "two calls in turn": (CHAT["user"], {"tools": [_BRAIDED]}, 2),
    "two calls in turn, streamed": (CHAT["user, streamed"], {"tools": [_BRAIDED]}, 2),
    "two calls in turn, Ollama": (TALKING["Ollama chat"], {"tools": [_BRAIDED]}, 2),
    "two calls, Responses": (TALKING["Responses"], {"tools": [{"type": "function", **_NOTE}]}, 2),
    "two calls, Responses, streamed": (TALKING["Responses, streamed"], {"tools": [{"type": "function", **_NOTE}]}, 2),
    "two calls, Anthropic": (TALKING["Anthropic"], {"tools": [_ANTHROPIC_NOTE]}, 2),
    "two calls, Anthropic, streamed": (TALKING["Anthropic, streamed"], {"tools": [_ANTHROPIC_NOTE]}, 2),
    "two calls, Ollama": (TALKING["Ollama chat"], {"tools": [{"type": "function", "function": _NOTE}]}, 2),
}


def answers(numbers: Numbers) -> Iterator[Pair]:
    """Yield pairs of a private question, and a later request that quotes its answer or a piece of it."""
    for name, place in TALKING.items():
        if "embed" not in name:
            first = numbers.marker()
            yield _asked(first, place), _quote("memory: answers", name, answer(first), numbers)
    for name, (place, change, pieces) in _SEVERAL.items():
        first = numbers.marker()
        asked = _asked(first, place, change)
        for piece in range(pieces):
            yield asked, _quote("memory: answers in pieces", f"{name}, {piece + 1}", answer(first, piece), numbers)
    first = numbers.marker()
    asked = _asked(first, CHAT["user, streamed"], {"reasoning_effort": "low"})
    yield asked, _quote("memory: answers", "what was thought before it", thought(first), numbers)


def while_they_come(asking: AuditClient, numbers: Numbers) -> list[Result]:
    """Quote answers while they still come, when they have ended, and after hanging up in the middle of them."""
    several = [
        (f"{name}, two choices", place, {"n": 2}) for name, place in _STREAMED.items() if name.startswith("chat")
    ]
    jobs: list[tuple[str, Place, Body, bool]] = [
        (name, place, {}, leaves) for name, place in _STREAMED.items() for leaves in (False, True)
    ]
    jobs += [(name, place, change, False) for name, place, change in several]
    with ThreadPoolExecutor(len(jobs)) as pool:
        raced = pool.map(lambda job: _raced(asking, numbers, *job), jobs)
        return [result for results in raced for result in results]


def _raced(asking: AuditClient, numbers: Numbers, name: str, place: Place, change: Body, leaves: bool) -> list[Result]:
    marker = numbers.marker()
    asked = _asked(marker, place, change)
    asking.home.slow_down(marker)
    quoted: list[AuditCase] = []
    with open_answer(asking, asked) as coming:
        words = coming.read(_SOME_LETTERS)
        if not leaves:
            quoted += _while(name, marker, words, numbers)
            results = asking.ask(quoted)
            words = coming.finish()
            later = [_quote("memory: after it has ended", name, words, numbers)]
        else:
            results = []
            later = [_quote("memory: after hanging up", name, words, numbers)]
    return [asking.judge(asked, 0), *results, *asking.ask(later)]


def _while(name: str, marker: str, words: str, numbers: Numbers) -> Iterator[AuditCase]:
    group = "memory: while it comes"
    yield _quote(group, name, words, numbers)
    yield _quote(group, f"{name}, its end", words[-_SURE_LETTERS:], numbers)
    yield _quote(group, f"{name}, a title", f"Write a title.\nUser: {line(marker)}\nAssistant: {words}", numbers)


def cut_short(asking: AuditClient, numbers: Numbers) -> list[str]:
    """Kill the gateway in the middle of several answers, and return what clients have of them."""
    asked = [_asked(numbers.marker(), place) for place in _STREAMED.values()]
    for case in asked:
        asking.home.slow_down(case.marker)
    with ExitStack() as stack:
        coming = [stack.enter_context(open_answer(asking, case)) for case in asked]
        words = [some.read(_SOME_LETTERS) for some in coming]
        asking.gateway.kill()
    return words


def quotes_of_cut(words: Sequence[str], numbers: Numbers) -> Iterator[AuditCase]:
    """Yield quotations of what clients have of answers in whose middle the gateway was killed."""
    for name, text in zip(_STREAMED, words, strict=True):
        yield _quote("memory: after a restart", f"an answer cut short, {name}", text, numbers)


def _asked(marker: str, place: Place, change: Body | None = None) -> AuditCase:
    case = remembered("memory: the telling", marker, place, marker, line(marker), headers=PRIVATE)
    return msgspec.structs.replace(case, body=case.body | (change or {}))


def _quote(group: str, name: str, text: str, numbers: Numbers) -> AuditCase:
    return remembered(group, name, CHAT["user"], numbers.marker(), text)
