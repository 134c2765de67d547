"""Other people's test suites against the gateway: `python -m tests.clients.suites NAME …` says what passed.

The model behind the gateway is a stand-in that fills forms: these suites look at shapes, not at what is said. Only the
tests of endpoints that the gateway has are run.
"""

import asyncio
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.agreeable_model import AgreeableModel
from tests.clients.command_lines import TASKS
from tests.clients.environments import CACHE, PINS, node_environment, python_environment
from tests.clients.laid_objects import LaidObjects
from tests.standins.gateway import RunningGateway

_CONFIG = """
targets:
  home:
    {{kind: openai, zone: local, base_url: "{home}", model: home-1, context: 200000,
      endpoints: [chat, completions, embeddings, images],
      capabilities: [tools, json_schema, images, logprobs, thinking]}}
responses: {{store: on}}
batches: {{store: on, when: always}}
"""
_PYTEST = ("-q", "-p", "no:cacheprovider", "--tb=short", "-W", "ignore")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The part of a suite that is about what the gateway offers, and how it is run.

    Attributes:
        environment: What it is installed in.
        package: The package on PyPI whose source has the tests; none where a file in `tasks/` has them.
        base_url: What follows the gateway's address.
        laid: Whether the suite asks for objects by ids of its own, which are stored for it first.
        arguments: Of pytest.
    """

    environment: str
    package: str | None = None
    base_url: str = ""
    laid: bool = False
    arguments: tuple[str, ...]


SUITES = {
    "openai-python": Suite(
        environment="openai-python",
        package="openai",
        base_url="/v1",
        laid=True,
        arguments=(
            *("-k", "strict"),
            *(
                f"tests/api_resources/{name}"
                for name in (
                    "chat",
                    "conversations",
                    "responses",
                    "test_batches.py",
                    "test_completions.py",
                    "test_conversations.py",
                    "test_embeddings.py",
                    "test_files.py",
                    "test_models.py",
                    "test_moderations.py",
                    "test_responses.py",
                )
            ),
        ),
    ),
    "anthropic-python": Suite(
        environment="anthropic-python",
        package="anthropic",
        laid=True,
        arguments=(
            *("-k", "strict"),
            *(
                f"tests/api_resources/{name}"
                for name in (
                    "beta/messages",
                    "beta/test_messages.py",
                    "beta/test_models.py",
                    "messages",
                    "test_messages.py",
                    "test_models.py",
                )
            ),
        ),
    ),
    "langchain-tests": Suite(
        environment="langchain",
        arguments=(
            *("-c", os.devnull, "--rootdir", ".", "--confcutdir", ".", "-o", "asyncio_mode=auto"),
            *("-o", "asyncio_default_test_loop_scope=session", "-o", "asyncio_default_fixture_loop_scope=session"),
            "langchain_standard_tests.py",
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """How many tests of a suite passed and were skipped, and the first line of why each other one failed."""

    passed: int
    skipped: int
    failed: dict[str, str]


def source(suite: Suite) -> Path:
    """Return the folder that a suite is run in; of a package's source all but its code: the installed one is tested."""
    if suite.package is None:
        return TASKS
    pins = (PINS / f"{suite.environment}.txt").read_text().splitlines()
    wanted = next(line for line in pins if line.startswith(f"{suite.package}=="))
    place = CACHE / "sources"
    folder = place / wanted.replace("==", "-")
    if not folder.exists():
        place.mkdir(parents=True, exist_ok=True)
        pip = python_environment(suite.environment) / "pip"
        options = ("download", "--quiet", "--no-deps", "--no-binary", suite.package, "--dest", str(place), wanted)
        subprocess.run([pip, *options], check=True)
        with tarfile.open(f"{folder}.tar.gz") as archive:
            members = [one for one in archive.getmembers() if "/src/" not in one.name]
            archive.extractall(place, members=members, filter="data")
    return folder


async def run(suite: Suite) -> Result:
    """Run a suite of pytest against a gateway of its own."""
    folder = source(suite)
    python = python_environment(suite.environment) / "python"
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        async with open_gateway(Path(place)) as gateway, LaidObjects(gateway.url) as door:
            url = door.url if suite.laid else gateway.url
            process = await asyncio.create_subprocess_exec(
                *(str(python), "-m", "pytest", *_PYTEST, f"--junitxml={report}", *suite.arguments),
                cwd=folder,
                env=os.environ | {"TEST_API_BASE_URL": url + suite.base_url},
                stdout=asyncio.subprocess.DEVNULL,
            )
            await process.wait()
        return read(report)


async def probe() -> Result:
    """Run llmprobe, which is no suite of pytest; what it could not judge counts as skipped."""
    program = node_environment("llmprobe") / "node_modules/.bin/llmprobe"
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        async with open_gateway(Path(place)) as gateway:
            process = await asyncio.create_subprocess_exec(
                *(
                    str(program),
                    gateway.url + "/v1",
                    "--model",
                    "auto",
                    "--full",
                    "--no-bench",
                    "--no-save",
                    "--save",
                    str(report),
                ),
                env=os.environ | {"HOME": place},
                stdout=asyncio.subprocess.DEVNULL,
            )
            await process.wait()
        cases = json.loads(report.read_text(encoding="utf-8"))["conformance"]["results"]
    failed = {case["name"]: case["failures"][0]["message"] for case in cases if case["outcome"] == "fail"}
    outcomes = Counter(case["outcome"] for case in cases)
    passed = outcomes["pass"]
    return Result(passed=passed, skipped=len(cases) - passed - len(failed), failed=failed)


@asynccontextmanager
async def open_gateway(folder: Path) -> AsyncIterator[RunningGateway]:
    """Start a gateway with everything turned on, and the stand-in behind it."""
    async with AgreeableModel() as home, RunningGateway(folder, _CONFIG.format(home=home.base_url)) as gateway:
        yield gateway


def read(report: Path) -> Result:
    """Read what pytest wrote about a run."""
    passed, skipped, failed = 0, 0, {}
    for case in ElementTree.parse(report).iter("testcase"):
        wrong = [*case.iter("failure"), *case.iter("error")]
        if wrong:
            failed[f"{case.get('classname')}.{case.get('name')}"] = (wrong[0].get("message") or "").split("\n")[0]
        elif next(case.iter("skipped"), None) is not None:
            skipped += 1
        else:
            passed += 1
    return Result(passed=passed, skipped=skipped, failed=failed)


if __name__ == "__main__":
    for name in sys.argv[1:] or (*SUITES, "llmprobe"):
        result = asyncio.run(run(SUITES[name]) if name in SUITES else probe())
        for test, why in sorted(result.failed.items()):
            print(f"  {test}: {why[:160]}")
        for why, count in Counter(result.failed.values()).most_common():
            print(f"{count:4} × {why[:160]}")
        print(f"{name}: {result.passed} passed, {len(result.failed)} failed, {result.skipped} skipped", flush=True)
