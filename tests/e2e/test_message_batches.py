"""Batches of Anthropic's messages: Anthropic's own client, and what of a batch may never leave."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio

from tests.e2e.conftest import House
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = """
policy: {policy}
batches: {{store: on, when: always}}
keys:
  ana: {{secret: "env:ANA"}}
  ben: {{secret: "env:BEN"}}
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: home-1}}
  big: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: big-1, ceiling: internal}}
models: {{auto: {{}}}}
"""
POLICY = """
version: 1
labels: {default: internal, findings: {financial: sensitive}}
otherwise: {prefer: [big, home]}
"""
ENV = {"STANDIN_KEY": "sk-standin", "ANA": "ana-secret-1", "BEN": "ben-secret-1"}
IBAN = "ES91 2100 0418 4502 0005 1332"


class HomeAndCloud(House):
    """A gateway between a stand-in at home and one in a cloud."""

    def __init__(self, gateway: RunningGateway, cloud: StandInCloud, home: StandInCloud) -> None:
        super().__init__(gateway, cloud)
        self.home = home


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory) -> AsyncIterator[HomeAndCloud]:
    """Start a gateway that answers batches, with two keys."""
    folder = tmp_path_factory.mktemp("message-batches")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    async with StandInCloud("At home.") as home, StandInCloud() as cloud:
        config = CONFIG.format(policy=policy, home=home.base_url, cloud=cloud.base_url)
        async with RunningGateway(folder, config, env=ENV) as gateway:
            yield HomeAndCloud(gateway, cloud, home)


def client_of(house: House, secret: str = "ana-secret-1") -> anthropic.AsyncAnthropic:
    """Return the SDK client of an app, which holds answers to Anthropic's types."""
    return anthropic.AsyncAnthropic(
        base_url=house.gateway.url, api_key=secret, max_retries=0, _strict_response_validation=True
    )


def asking(name: str, text: str, **fields: Any) -> Any:
    """Return one request of a batch."""
    params = {"model": "auto", "max_tokens": 16, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": name, "params": params | fields}


async def ended(client: anthropic.AsyncAnthropic, batch_id: str) -> Any:
    """Return the batch when it has ended."""
    async with asyncio.timeout(60):
        while (batch := await client.messages.batches.retrieve(batch_id)).processing_status != "ended":  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
    return batch


async def results(client: anthropic.AsyncAnthropic, batch_id: str) -> dict[str, Any]:
    """Return what came of each request, by its id."""
    return {one.custom_id: one.result async for one in await client.messages.batches.results(batch_id)}


async def test_each_request_goes_where_it_may(house):
    """A request with an account number stays at home beside one that leaves; a broken one has its own error."""
    async with client_of(house) as client:
        asked = [asking("plain", "Say hello."), asking("account", f"Pay to {IBAN}."), asking("hot", "x", temperature=9)]
        made = await client.messages.batches.create(requests=asked)
        assert (made.processing_status, made.request_counts.processing, made.results_url) == ("in_progress", 3, None)
        batch = await ended(client, made.id)
        assert (batch.request_counts.succeeded, batch.request_counts.errored) == (2, 1)
        found = await results(client, made.id)
        assert found["plain"].message.content[0].text.strip() == "The cloud says hello."
        assert found["account"].message.content[0].text.strip() == "At home."
        assert found["hot"].error.error.type == "invalid_request_error"
        assert "2100 0418" in house.home.arrived
        assert "2100 0418" not in house.cloud.arrived
        assert (await client.messages.batches.list(limit=1)).data[0].id == made.id


async def test_a_cancelled_batch_tells_of_every_request(house):
    """Nothing further is asked once a batch is cancelled, and its results name each request that was not."""
    async with client_of(house) as client:
        asked = [asking(f"r{number}", f"Count to {number}.") for number in range(300)]
        made = await client.messages.batches.create(requests=asked)
        cancelled = await client.messages.batches.cancel(made.id)
        assert (cancelled.processing_status, cancelled.cancel_initiated_at is None) == ("canceling", False)
        counts = (await ended(client, made.id)).request_counts
        kinds = [one.type for one in (await results(client, made.id)).values()]
        assert counts.canceled == kinds.count("canceled") > 0
        assert counts.succeeded == kinds.count("succeeded")
        assert len(kinds) == 300


async def test_a_batch_is_its_owners_until_it_is_deleted(house):
    """Another key finds no batch; OpenAI's list has none of it; deleted, it is gone with its files."""
    ben, ana = client_of(house, "ben-secret-1"), client_of(house)
    files = openai.AsyncOpenAI(base_url=house.base_url, api_key="ana-secret-1", max_retries=0)
    async with ana, ben, files:
        made = await ana.messages.batches.create(requests=[asking("one", "Say hello.")])
        for ask in (ben.messages.batches.retrieve, ben.messages.batches.cancel, ben.messages.batches.delete):
            with pytest.raises(anthropic.NotFoundError):
                await ask(made.id)
        assert [one async for one in files.batches.list()] == []
        with pytest.raises(openai.NotFoundError):
            await files.batches.retrieve(made.id.removeprefix("msg"))
        await ended(ana, made.id)
        kept = [one.id async for one in files.files.list()]
        assert (await ana.messages.batches.delete(made.id)).type == "message_batch_deleted"
        assert len([one async for one in files.files.list()]) == len(kept) - 2
        with pytest.raises(anthropic.NotFoundError):
            await ana.messages.batches.retrieve(made.id)


@pytest.mark.parametrize(
    "requests",
    [[], [asking("", "x")], [asking("a" * 65, "x")], [asking("a", "x"), asking("a", "y")], [{"custom_id": "a"}]],
    ids=["none", "no name", "long name", "the same name twice", "no params"],
)
async def test_a_batch_that_can_not_be_is_refused(house, requests):
    """What is wrong with a batch as a whole is told at once, and nothing of it is kept."""
    async with client_of(house) as client:
        with pytest.raises(anthropic.BadRequestError):
            await client.messages.batches.create(requests=requests)


async def test_results_are_there_at_the_end(house):
    """Results and deletion of a batch that still runs are refused."""
    async with client_of(house) as client:
        made = await client.messages.batches.create(requests=[asking(f"r{number}", "Hi.") for number in range(300)])
        with pytest.raises(anthropic.BadRequestError, match="not ended"):
            await client.messages.batches.delete(made.id)
        await client.messages.batches.cancel(made.id)
        await ended(client, made.id)
