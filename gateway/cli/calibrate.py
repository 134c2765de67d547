"""`aduana calibrate`: measures idle and loaded power, and what a prompt token and a generated token cost in energy.

Runs beside a started gateway that does nothing else meanwhile; sends it made-up prompts, and stops if a cloud answers.
"""

import argparse
import http.client
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.cli.options import add_key_options, key_of
from gateway.core.errors import AduanaError, BadRequest, Unavailable
from gateway.observe import EnergySettings
from gateway.observe.energy.meters import Estimate, Meter
from gateway.observe.energy.sampler import find_meters
from gateway.settings import load_settings

_FILLER = "The river runs past the old mill and on towards the sea. "


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured while one kind of request ran."""

    seconds: float
    joules: float
    prefill: int  # prompt tokens that were computed
    decode: int  # generated tokens

    @property
    def watts(self) -> float:
        """Return the mean power in watts."""
        return self.joules / self.seconds if self.seconds > 0 else 0.0


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Measured values for the settings in `energy:`."""

    idle_watts: float
    busy_watts: float
    prefill_weight: float  # joules a token beyond idle
    decode_weight: float


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    text = (
        "Measure idle and loaded power and the energy of prompt and generated tokens, beside a running, idle gateway."
    )
    parser = subparsers.add_parser("calibrate", help="measure power on this machine", description=text)
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument("--url", help="the gateway (default: as configured)")
    add_key_options(parser, "an API key, where the gateway wants one,")
    parser.add_argument("--model", default="", help="model name to ask for (default: the first embedded target)")
    parser.add_argument("--seconds", type=float, default=20.0, help="time for each of the three measurements")
    parser.add_argument("--write", action="store_true", help="write the result into the configuration file")


def run(args: argparse.Namespace, find: Callable[[EnergySettings], Sequence[Meter]] = find_meters) -> int:
    """Measure, and print the lines for `energy:`. Return 0, or 2 when nothing can be measured.

    Raises:
        BadRequest: There is no embedded target to ask, or the file can't be written.
    """
    settings = load_settings(args.config)
    meters = [meter for meter in find(EnergySettings()) if not isinstance(meter, Estimate)]
    if not meters:
        print(
            "aduana: nothing here can be measured: no NVIDIA or AMD driver, and /sys/class/powercap is not readable.\n"
            "Set energy.idle_watts and energy.busy_watts from a wall meter instead.",
            file=sys.stderr,
        )
        return 2
    url = (args.url or settings.server.url).rstrip("/")
    model = args.model or next((name for name, target in settings.targets.items() if target.kind == "embedded"), "")
    if not model:
        raise BadRequest("There is no embedded target to load. Name a model with --model.")
    asker = Asker(url, key_of(args), model)
    try:
        result = measure(
            meters, args.seconds, asker.prefill, asker.decode, say=lambda text: print(text, file=sys.stderr)
        )
    finally:
        for meter in meters:
            meter.close()
    print(as_yaml(result), end="")
    if args.write:
        write(args.config or Path("aduana.yaml"), result)
    return 0


def measure(
    meters: list[Meter],
    seconds: float,
    prefill: Callable[[], tuple[int, int]],
    decode: Callable[[], tuple[int, int]],
    *,
    say: Callable[[str], None] = lambda text: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Calibration:
    """Measure when nothing runs, then while prompts are read, then while answers are written.

    Args:
        meters: What measures power or energy.
        prefill: Sends a request with a long prompt; returns its tokens of (prompt, answer).
        decode: Sends a request with a long answer; returns its tokens of (prompt, answer).
        seconds: Length of each of the three measurements.
        say: Gets a line before each of them.
        clock: Seconds that pass.
        sleep: Waits so many seconds.
    """
    say(f"[1/3] idle, {seconds:g} s: leave the machine alone")
    idle = _over(meters, lambda: _rest(seconds, clock, sleep), clock)
    say(f"[2/3] long prompts, {seconds:g} s")
    prompts = _over(meters, lambda: _repeat(seconds, prefill, clock), clock)
    say(f"[3/3] long answers, {seconds:g} s")
    answers = _over(meters, lambda: _repeat(seconds, decode, clock), clock)
    return solve(idle, prompts, answers)


def solve(idle: Run, prompts: Run, answers: Run) -> Calibration:
    """Solve two equations for the energy beyond idle: joules = prefill·a + decode·b.

    Raises:
        Unavailable: The measurements have no sensible solution.
    """
    beyond = [max(0.0, run.joules - idle.watts * run.seconds) for run in (prompts, answers)]
    determinant = prompts.prefill * answers.decode - answers.prefill * prompts.decode
    if determinant <= 0:
        raise Unavailable("The two loads do not differ enough to tell prompts from answers. Give it more --seconds.")
    a = (beyond[0] * answers.decode - beyond[1] * prompts.decode) / determinant
    b = (prompts.prefill * beyond[1] - answers.prefill * beyond[0]) / determinant
    if a <= 0 or b <= 0:
        raise Unavailable("The power under load was not above idle. Was the machine busy? Give it more --seconds.")
    return Calibration(
        idle_watts=idle.watts,
        busy_watts=max(prompts.watts, answers.watts),
        prefill_weight=a,
        decode_weight=b,
    )


def as_yaml(result: Calibration) -> str:
    """Return the lines for the configuration file."""
    lines = [f"  {name}: {value:.6g}" for name, value in msgspec.structs.asdict(result).items()]
    return "energy:\n" + "\n".join(lines) + "\n"


def write(file: Path, result: Calibration) -> None:
    """Set the four fields in the configuration file; everything else, comments too, stays as it is.

    Raises:
        BadRequest: The file can't be read as YAML, or can't be written.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    try:
        document = yaml.load(file.read_text(encoding="utf-8")) if file.exists() else {}
        document = {} if document is None else document
        section = document.setdefault("energy", {})
        for name, value in msgspec.structs.asdict(result).items():
            section[name] = float(f"{value:.6g}")
        fresh = file.with_name(file.name + ".new")
        with fresh.open("w", encoding="utf-8") as text:
            yaml.dump(document, text)
        fresh.replace(file)
    except (OSError, YAMLError, AttributeError) as error:
        raise BadRequest(f"{file}: can't be written: {error}.") from error
    print(f"written to {file}", file=sys.stderr)


class Asker:
    """Client that sends one request at a time to the gateway."""

    def __init__(self, url: str, key: str, model: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadRequest(f"{url!r} is not an address. Write http://127.0.0.1:8484.")
        self._url = f"{url}/v1/completions"
        self._key = key
        self._model = model
        self._count = 0

    def prefill(self) -> tuple[int, int]:
        """Ask with a long prompt for a short answer. Each prompt begins differently, so that no cache helps."""
        self._count += 1
        return self._ask(f"{self._count} {self._count * 7919}. " + _FILLER * 120, 1)

    def decode(self) -> tuple[int, int]:
        """Ask with a short prompt for a long answer."""
        self._count += 1
        return self._ask(f"{self._count}. Once upon a time", 256)

    def _ask(self, prompt: str, tokens: int) -> tuple[int, int]:
        body: dict[str, Any] = {
            "model": self._model,
            "prompt": prompt,
            "max_tokens": tokens,
            "temperature": 0,
        }
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)  # noqa: S310 - checked above
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                usage = json.load(answer)["usage"]
                zone = answer.headers.get("x-aduana-zone")
        except (OSError, ValueError, KeyError, TypeError, RecursionError, http.client.HTTPException) as error:
            raise Unavailable(f"The gateway at {self._url} did not answer as expected: {error}.") from error
        if zone not in (None, "local"):
            raise Unavailable(f"The model {self._model!r} was answered by a cloud. Name a local one with --model.")
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        return usage["prompt_tokens"] - cached, usage["completion_tokens"]


def _over(meters: list[Meter], load: Callable[[], tuple[int, int]], clock: Callable[[], float]) -> Run:
    """Measure the energy while `load` runs; meters that integrate power are read every half second meanwhile."""
    joules = 0.0
    failed: list[AduanaError] = []
    tokens = (0, 0)

    def work() -> None:
        nonlocal tokens
        try:
            tokens = load()
        except AduanaError as error:
            failed.append(error)

    for meter in meters:
        meter.read(0.0, 0.0)
    begun = last = clock()
    thread = threading.Thread(target=work)
    thread.start()
    running = True
    while running:
        thread.join(0.5)
        running = thread.is_alive()
        now = clock()
        joules += sum(tick.joules for meter in meters for tick in meter.read(now - last, 1.0))
        last = now
    if failed:
        raise failed[0]
    return Run(seconds=last - begun, joules=joules, prefill=tokens[0], decode=tokens[1])


def _rest(seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> tuple[int, int]:
    sleep(seconds)
    return 0, 0


def _repeat(seconds: float, ask: Callable[[], tuple[int, int]], clock: Callable[[], float]) -> tuple[int, int]:
    prefill = decode = 0
    end = clock() + seconds
    while clock() < end:
        prompt, answer = ask()
        prefill += prompt
        decode += answer
    return prefill, decode
