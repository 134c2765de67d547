"""Two whole gateways on one ledger in PostgreSQL: what one knows and spends counts for the other, at once."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app.wiring import running
from gateway.cli import main
from gateway.core.errors import ConfigurationError
from gateway.settings import Settings
from tests.faults.fault_server import GOOD, Exchange, FaultServer, Script
from tests.faults.house import POLICY, PROVIDER_KEY, House, chat, until_ready
from tests.standins.postgresql import Postgresql

SECRET_TALK = "Mrs. Quill of bed seven asked about her results again, as she does every evening"


@asynccontextmanager
async def started(folder: Path, address: str, *, day_usd: float = 5.0, big: Script = GOOD) -> AsyncIterator[House]:
    """A gateway with a state directory of its own, between a cloud and a server at home."""
    folder.mkdir(exist_ok=True)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "key").write_text(PROVIDER_KEY)
    async with FaultServer(big) as cloud, FaultServer(GOOD) as home:
        shared = {"kind": "openai", "api_key": f"file:{folder / 'key'}"}
        config = Settings(
            server={"port": 0, "drain_seconds": 0.5},
            state_dir=folder / "state",
            ledger=address,
            policy=(folder / "policy.yaml",),
            budgets={"day_usd": day_usd},
            prices={"overrides": {"big-1": {"input": 1.0, "output": 1.0}}},
            targets={
                "den": shared | {"zone": "local", "base_url": home.base_url, "model": "den-1"},
                "big": shared | {"zone": "cloud", "base_url": cloud.base_url, "model": "big-1", "ceiling": "public"},
            },
        )
        async with running(config) as gateway:
            house = House(gateway.url, folder / "state", cloud, home)
            await until_ready(house)
            yield house


def key_for(folder: Path, other: Path) -> None:
    """Give a gateway that was never started the key of another."""
    (folder / "state").mkdir(parents=True)
    shutil.copy(other / "state" / "taint.key", folder / "state" / "taint.key")


async def test_what_was_sensitive_at_one_stays_at_home_at_the_other(tmp_path: Path, postgresql: Postgresql) -> None:
    """The next turn of a conversation may reach any of them: none takes it for new."""
    address = postgresql.fresh()
    ours, theirs = tmp_path / "one", tmp_path / "other"
    async with started(ours, address) as one:
        key_for(theirs, ours)
        async with started(theirs, address) as other:
            said = [{"role": "user", "content": SECRET_TALK}]
            assert (await other.ask(x_aduana_tags="public")).status == 200
            assert len(other.big.posts) == 1
            assert (await one.ask(chat(messages=said), x_aduana_tags="health")).status == 200
            said += [{"role": "assistant", "content": "I see."}, {"role": "user", "content": "And what now?"}]
            assert (await other.ask(chat(messages=said), x_aduana_tags="public")).status == 200
            assert len(other.big.posts) == 1, "what one gateway knows as sensitive left by the other"
            assert len(one.big.posts) == 0


async def test_a_budget_is_spent_once(tmp_path: Path, postgresql: Postgresql) -> None:
    """Requests at two gateways at once reserve what there is, and never more; home answers the rest."""
    address = postgresql.fresh()
    ours, theirs = tmp_path / "one", tmp_path / "other"
    go = asyncio.Event()

    async def waiting(exchange: Exchange) -> None:
        await go.wait()
        await GOOD(exchange)

    async with started(ours, address, day_usd=0.05, big=waiting) as one:
        key_for(theirs, ours)
        async with started(theirs, address, day_usd=0.05, big=waiting) as other:
            body = chat(max_tokens=10_000)  # reserves a little more than a cent
            asked = [
                asyncio.ensure_future(house.ask(body, x_aduana_tags="public"))
                for house in (one, other)
                for _ in range(15)
            ]
            async with asyncio.timeout(60):
                while sum(len(server.posts) for server in (one.big, other.big, one.den, other.den)) < 30:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)  # until every request is somewhere
            assert len(one.big.posts) + len(other.big.posts) == 4
            go.set()
            assert {answer.status for answer in await asyncio.gather(*asked)} == {200}
            async with asyncio.timeout(60):  # what was not spent is there again, and seen a moment later
                while len(other.big.posts) + len(one.big.posts) == 4:
                    assert (await other.ask(body, x_aduana_tags="public")).status == 200


async def test_a_key_that_a_command_made_counts_everywhere(
    tmp_path: Path, postgresql: Postgresql, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made beside the running gateways, it is known to both in a moment; revoked, it opens neither."""
    address = postgresql.fresh()
    ours, theirs = tmp_path / "one", tmp_path / "other"
    async with started(ours, address) as one:
        key_for(theirs, ours)
        async with started(theirs, address) as other:
            config = ours / "aduana.yaml"
            config.write_text(f"state_dir: {ours / 'state'}\nledger: {address!r}\n")
            options = ["--config", str(config)]
            assert await asyncio.to_thread(main, ["keys", "create", "--app", "n8n", "--json", *options]) == 0
            printed = capsys.readouterr().out.splitlines()  # the gateways log there as well
            secret = next(json.loads(line)["secret"] for line in printed if line.startswith('{"secret"'))

            async def answers(status: int) -> None:
                async with asyncio.timeout(30):
                    for house in (one, other):
                        while (await house.ask(Authorization=f"Bearer {secret}")).status != status:  # noqa: ASYNC110
                            await asyncio.sleep(0.05)

            await answers(200)
            assert await asyncio.to_thread(main, ["keys", "revoke", "n8n", *options]) == 0
            await answers(401)


@pytest.mark.parametrize("key", ["none", "another"])
async def test_a_gateway_with_another_key_does_not_start(tmp_path: Path, postgresql: Postgresql, key: str) -> None:
    """It would not know the others' conversations again: it says which file to copy, and changes nothing."""
    address = postgresql.fresh()
    ours, theirs = tmp_path / "one", tmp_path / "other"
    async with started(ours, address) as one:
        if key == "another":
            (theirs / "state").mkdir(parents=True)
            (theirs / "state" / "taint.key").write_bytes(b"k" * 32)
        with pytest.raises(ConfigurationError, match=r"taint\.key.*Copy that file from the state directory of another"):
            async with started(theirs, address):
                pass
        assert (await one.ask(x_aduana_tags="public")).status == 200
        assert len(one.big.posts) == 1
    async with started(ours, address) as one:
        assert (await one.ask(x_aduana_tags="public")).status == 200
        assert len(one.big.posts) == 1
