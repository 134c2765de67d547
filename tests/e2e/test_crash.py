"""What a client sees when something dies."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from pathlib import Path

import aiohttp
import httpx2
import openai
import pytest

from tests.e2e.conftest import write_house
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

STORY = {
    "model": "local",
    "messages": [{"role": "user", "content": "Tell me a very long story."}],
    "max_tokens": 1500,
    "stream": True,
    "extra_body": {"ignore_eos": True},
}


def worker_of(gateway: RunningGateway) -> int:
    """Return the process id of the engine's worker: the gateway's only child."""
    assert gateway.process is not None
    pid = gateway.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    (worker,) = [int(child) for child in children if b"gateway.engine" in Path(f"/proc/{child}/cmdline").read_bytes()]
    return worker


async def test_a_killed_worker_is_an_error_in_the_stream_and_the_next_request_is_served(tmp_path):
    """kill -9 in the middle of an answer: an error event, no invented end; then the model answers again."""
    async with StandInCloud() as cloud:
        config = write_house(tmp_path, cloud)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            await gateway.until_ready()
            async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key="unused", max_retries=0) as client:
                stream = await client.chat.completions.create(**STORY)
                seen = 0
                finishes = []
                with pytest.raises(openai.APIError) as caught:
                    async for chunk in stream:
                        finishes += [choice.finish_reason for choice in chunk.choices if choice.finish_reason]
                        seen += 1
                        if seen == 5:
                            os.kill(worker_of(gateway), signal.SIGKILL)
                assert "home" in str(caught.value)
                assert finishes == []
                answer = await client.chat.completions.create(
                    model="local", messages=[{"role": "user", "content": "Hello"}], max_tokens=4
                )
                assert answer.usage.completion_tokens > 0
            async with aiohttp.ClientSession() as session, session.get(gateway.url + "/metrics") as metrics:
                text = await metrics.text()
            assert 'aduana_worker_restarts_total{model="smollm2",cause="crashed"} 1' in text
        assert outcomes(tmp_path) == ["error", "ok"]


async def test_a_killed_gateway_settles_its_requests_at_the_next_start(tmp_path):
    """kill -9 of the gateway: its worker goes too, and the next start settles what it was answering as unknown."""
    async with StandInCloud() as cloud:
        config = write_house(tmp_path, cloud)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            await gateway.until_ready()
            async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key="unused", max_retries=0) as client:
                stream = await client.chat.completions.create(**STORY)
                await anext(aiter(stream))
                worker = worker_of(gateway)
                gateway.process.kill()
                with contextlib.suppress(openai.APIError, httpx2.HTTPError):
                    async for _ in stream:
                        pass
            await gateway.process.wait()
            await gone(worker)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            assert "ledger.orphans_settled" in gateway.log
        assert outcomes(tmp_path) == ["unknown"]


async def test_sigterm_lets_a_running_answer_finish(tmp_path):
    """A gateway that is stopped lets running answers end within its drain time."""
    async with StandInCloud() as cloud:
        config = write_house(tmp_path, cloud)
        async with RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            await gateway.until_ready()
            async with openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key="unused", max_retries=0) as client:
                stream = await client.chat.completions.create(**(STORY | {"max_tokens": 60}))
                chunks = [await anext(aiter(stream))]
                gateway.process.send_signal(signal.SIGTERM)
                chunks += [chunk async for chunk in stream]
            assert chunks[-1].choices[0].finish_reason == "length"
            assert await gateway.process.wait() == 0
        assert outcomes(tmp_path) == ["ok"]


async def gone(pid: int) -> None:
    """Wait until no such process runs."""
    async with asyncio.timeout(60):
        while Path(f"/proc/{pid}/stat").exists():
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
            await asyncio.sleep(0.05)


def outcomes(folder: Path) -> list[str]:
    """Return how the ledger says that requests ended, in order."""
    connection = sqlite3.connect(f"file:{folder}/state/ledger.sqlite3?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("SELECT outcome FROM settlements ORDER BY seq")]
    finally:
        connection.close()
