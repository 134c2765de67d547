"""The judge of sensitivity as users meet it: nothing is configured, and a confidence in plain words stays at home."""

from pathlib import Path

import anthropic
import httpx2
import openai
import pytest

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

CONFIG = """
policy: {policy}
{more}
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: home-1}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1}}
models:
  auto: {{}}
"""
POLICY = """
version: 1
labels: {default: public}
otherwise: {prefer: [big, home]}
"""
TOLD = "we are behind on two loans and my husband doesn't know"
ASKED = "What is the capital of France, and how many people live there?"
RUSSIAN = "Моя сестра тяжело больна, и её муж об этом ещё не знает."


@pytest.fixture(autouse=True)
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests be judged as the configuration says, or by default."""
    monkeypatch.delenv("ADUANA_INSPECTION__JUDGE__MODE")


async def zone(gateway: RunningGateway, text: str, path: str = "/v1/chat/completions") -> str:
    """Return where a text was answered, as the answer's header says."""
    messages = [{"role": "user", "content": text}]
    async with httpx2.AsyncClient(timeout=60) as client:
        answer = await client.post(gateway.url + path, json={"model": "auto", "max_tokens": 9, "messages": messages})
    assert answer.status_code == 200, answer.text
    return str(answer.headers["x-aduana-zone"])


@pytest.mark.parametrize(
    ("more", "zones"),
    [
        ("", ["local", "cloud", "local"]),
        ("inspection: {judge: {mode: off}}", ["cloud", "cloud", "cloud"]),
        ("inspection: {judge: {unsure: sensitive}}", ["local", "cloud", "local"]),
    ],
    ids=["default", "off", "unsure is sensitive"],
)
async def test_a_confidence_stays_and_a_question_leaves(tmp_path: Path, more: str, zones: list[str]) -> None:
    """Without names, numbers or key words; what is in a script that the judge can't read stays as well."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with StandInCloud() as cloud, StandInCloud() as home:
        config = CONFIG.format(policy=tmp_path / "policy.yaml", cloud=cloud.base_url, home=home.base_url, more=more)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            assert [await zone(gateway, text) for text in (TOLD, ASKED, RUSSIAN)] == zones
            if zones[0] == "local":
                assert "two loans" not in cloud.arrived
                await _in_other_languages(gateway)
                assert "two loans" not in cloud.arrived
        assert "two loans" not in gateway.log


async def _in_other_languages(gateway: RunningGateway) -> None:
    """Assert that the same stays in Anthropic's messages and in a tool's result."""
    async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key="unused", max_retries=0) as client:
        raw = await client.messages.with_raw_response.create(
            model="auto", max_tokens=9, messages=[{"role": "user", "content": f"{ASKED}\n\n{TOLD}"}]
        )
    assert raw.headers["x-aduana-zone"] == "local"
    call = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key="unused", max_retries=0) as openai_client:
        answer = await openai_client.chat.completions.with_raw_response.create(
            model="auto",
            messages=[
                {"role": "user", "content": "Read the note."},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": TOLD},
            ],  # type: ignore[list-item]
        )
    assert answer.headers["x-aduana-zone"] == "local"
