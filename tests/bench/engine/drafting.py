"""What speculative decoding is worth on this machine: the same answers with and without it, in turn.

    python -m tests.bench.engine.drafting [--model NAME-OR-GGUF] [--draft NAME-OR-GGUF] [--rounds 3] [--threads 1]

`copying` rewrites a list that stands in the prompt, `prose` tells a story. `always` drafts whatever it costs; `auto`
is what the gateway does. Printed are medians of tokens/s; the texts of all ways are compared.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections import defaultdict
from typing import Any

from gateway.core.delta import Text
from gateway.core.document import freeze_object
from gateway.core.labels import Label, Zone
from gateway.core.request import CompletionRequest, Dialect, Sampling
from gateway.core.target import TargetInfo
from gateway.local.embedded.models.files import default_models_dir, model_path
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.target import EmbeddedTarget
from tests.bench.engine.workloads import words

_TOKENS = 96


def copying(draw: random.Random) -> str:
    """A list, and the beginning of its repetition."""
    names = words(30, draw.randrange(10**6)).partition(". ")[2]
    return f"Repeat the list.\nList: {names}.\nList: {names}.\nList: {names[:20]}"


def prose(draw: random.Random) -> str:
    """A story."""
    return f"Once upon a time, {draw.randrange(2000)} years ago, there was a girl who lived by the sea. One day"


async def main() -> None:
    """Prints one line for each workload and number of streams."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--draft", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    ways: dict[str, dict[str, Any]] = {
        "off": {"draft_lookup": False, "draft_head": False},
        "auto": {},
        "always": {"draft_always": True},
    }
    if args.draft:
        draft = str(model_path(args.draft, default_models_dir()))
        ways["draft model, auto"] = {"draft_model": draft, "draft_lookup": False}
        ways["draft model, always"] = {"draft_model": draft, "draft_lookup": False, "draft_always": True}
    targets = {name: await _started(args, changes) for name, changes in ways.items()}
    print(f"{'workload':24}" + "".join(f"{name:>24}" for name in ways) + "   (tokens/s, ratio to off)")
    draw = random.Random()
    for streams in (1, 4):
        for workload in (copying, prose):
            await _compare(targets, workload.__name__, streams, args.rounds, [workload(draw) for _ in range(streams)])
    for target in targets.values():
        await target.close()


async def _started(args: argparse.Namespace, changes: dict[str, Any]) -> EmbeddedTarget:
    info = TargetInfo(name="bench", kind="embedded", zone=Zone.LOCAL, ceiling=Label.SENSITIVE, model="m", context=2048)
    model = str(model_path(args.model, default_models_dir()))
    settings = EmbeddedSettings(model=model, context=2048, slots=4, threads=args.threads, **changes)
    target = EmbeddedTarget(info, settings)
    await target.start()
    await _ask(target, "Hello", "warm", 8)
    return target


async def _compare(
    targets: dict[str, EmbeddedTarget], name: str, streams: int, rounds: int, prompts: list[str]
) -> None:
    speeds: dict[str, list[float]] = defaultdict(list)
    texts: dict[str, list[str]] = {}
    for number in range(rounds):
        for way, target in random.sample(list(targets.items()), len(targets)):
            began = time.perf_counter()
            texts[way] = await asyncio.gather(*(_ask(target, text, f"{number}", _TOKENS) for text in prompts))
            speeds[way].append(streams * _TOKENS / (time.perf_counter() - began))
    medians = {way: statistics.median(values) for way, values in speeds.items()}
    cells = "".join(f"{medians[way]:>16.1f} ({medians[way] / medians['off']:.2f}x)" for way in targets)
    same = all(texts[way] == texts["off"] for way in targets)
    print(f"{f'{name}, {streams} streams':24}{cells}   texts {'are equal' if same else 'differ'}", flush=True)


async def _ask(target: EmbeddedTarget, prompt: str, isolation: str, tokens: int) -> str:
    request = CompletionRequest(
        dialect=Dialect.OPENAI,
        model="m",
        document=freeze_object({}),
        prompts=(prompt,),
        sampling=Sampling(temperature=0.0, max_tokens=tokens, ignore_eos=True),
    )
    deadline = asyncio.get_running_loop().time() + 600
    stream = target.generate(request, deadline=deadline, isolation=isolation)
    return "".join([delta.text async for delta in stream if isinstance(delta, Text)])


if __name__ == "__main__":
    asyncio.run(main())
