"""A running gateway leaves a record that proves what left: requests over HTTP, a stop, then the auditor's command."""

import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
policy: {policy}
ledger: {{checkpoints_to: {file}}}
targets:
  home: {{kind: openai, zone: local, base_url: "{cloud}", model: m}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1, context: 400000}}
"""
POLICY = """
version: 1
labels: {default: internal, tags: {health: sensitive, public: public}}
otherwise: {prefer: [big, home]}
"""


async def test_what_left_is_proved_and_what_did_not(tmp_path: Path) -> None:
    """The last request before the stop is covered by a checkpoint elsewhere; tags that stayed are proved to have."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud:
        config = CONFIG.format(policy=tmp_path / "policy.yaml", file=tmp_path / "checkpoints", cloud=cloud.base_url)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            await gateway.until_ready()
            async with aiohttp.ClientSession() as session:
                for tag in ("health", "public", "health"):
                    body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
                    await session.post(f"{gateway.url}/v1/chat/completions", json=body, headers={"x-aduana-tags": tag})
    (state,) = (path.parent for path in tmp_path.rglob("ledger.sqlite3"))
    command = [sys.executable, "-m", "gateway", "audit", "verify", str(state), "--lang", "en"]
    command += ["--checkpoints", str(tmp_path / "checkpoints"), "--tag"]
    stayed, left = (
        subprocess.run([*command, tag], capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: ASYNC221
        for tag in ("health", "public")
    )
    assert (stayed.returncode, left.returncode) == (0, 1), stayed.stdout + left.stdout
    assert "No request tagged health had a cloud" in stayed.stdout
    assert "(1 of 1), were answered by one (1)" in left.stdout
