"""Stored responses and conversations: OpenAI's own client, and what of them may never leave."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import openai
import pytest
import pytest_asyncio

from tests.e2e.conftest import House, write_house
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

KEYS = """
responses: {store: on}
keys:
  ana: {secret: "env:ANA"}
  ben: {secret: "env:BEN"}
"""
ENV = {"STANDIN_KEY": "sk-standin", "ANA": "ana-secret-1", "BEN": "ben-secret-1"}
LONG = "The committee met again and spoke of the harbour, the weather and the price of bread. " * 40
HARMS = {
    "cut": "DELETE FROM records WHERE id = :id",
    "altered": "UPDATE records SET sealed = CAST(substr(sealed, 1, 40) || X'00' AS BLOB) WHERE id = :id",
    "exchanged": "UPDATE records SET sealed = (SELECT sealed FROM records WHERE id = :other) WHERE id = :id",
    "given to another owner": "UPDATE records SET owner = 'ben' WHERE id = :id",
}
SHORT = {"model": "auto", "max_output_tokens": 16}


def gateway_in(folder: Path, cloud: StandInCloud, extra: str = KEYS) -> RunningGateway:
    """Return the gateway of a folder, whose state lies there from one start to the next."""
    return RunningGateway(folder, write_house(folder, cloud, extra), env=ENV)


def client_of(gateway: RunningGateway, secret: str = "ana-secret-1", tags: str = "public") -> openai.AsyncOpenAI:
    """Return the SDK client of an app with a key and tags of its own."""
    headers = {"x-aduana-tags": tags} if tags else {}
    return openai.AsyncOpenAI(base_url=gateway.url + "/v1", api_key=secret, max_retries=0, default_headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def storing(tmp_path_factory) -> AsyncIterator[House]:
    """Start a gateway that stores responses, with two keys."""
    folder = tmp_path_factory.mktemp("storing")
    async with StandInCloud() as cloud, gateway_in(folder, cloud) as gateway:
        await gateway.until_ready()
        yield House(gateway, cloud)


async def test_a_response_is_stored_and_deleted(storing):
    """What was answered, streamed or not, can be read, listed and deleted by its id; `store: false` keeps nothing."""
    async with client_of(storing.gateway) as client:
        for stream in (False, True):
            made = await client.responses.create(input=f"Say hello. {stream}", stream=stream, **SHORT)
            if stream:
                made = [event async for event in made][-1].response
            assert await client.responses.retrieve(made.id) == made
            assert made.model_dump()["store"] is True
            listed = await client.responses.input_items.list(made.id)
            assert [item.content[0].text for item in listed.data] == [f"Say hello. {stream}"]
            await client.responses.delete(made.id)
            with pytest.raises(openai.NotFoundError):
                await client.responses.retrieve(made.id)
            with pytest.raises(openai.NotFoundError):
                await client.responses.delete(made.id)
        passing = await client.responses.create(input="Say hello.", store=False, **SHORT)
        assert passing.model_dump()["store"] is False
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(passing.id)


async def test_a_response_is_continued(storing):
    """The model gets the whole conversation: the cloud's log shows the earlier turns and answers, in their order."""
    async with client_of(storing.gateway) as client:
        first = await client.responses.create(input=f"Marker-first. {LONG}", **SHORT)
        assert first.output_text.startswith("The cloud says")
        second = await client.responses.create(input="Marker-second.", previous_response_id=first.id, **SHORT)
        third = await client.responses.create(
            input=[{"role": "user", "content": "Marker-third."}], previous_response_id=second.id, **SHORT
        )
        assert third.previous_response_id == second.id
        sent = storing.cloud.bodies[-1].decode()
        places = [sent.index(word) for word in ("Marker-first", "The cloud says", "Marker-second", "Marker-third")]
        assert places == sorted(places)
        items = [item async for item in client.responses.input_items.list(third.id, limit=2, order="asc")]
        assert [item.role for item in items] == ["user", "assistant", "user", "assistant", "user"]
        tokens = await client.responses.input_tokens.count(
            model="auto", input="Marker-fourth.", previous_response_id=third.id
        )
        assert tokens.input_tokens > 600
        await client.responses.delete(second.id)
        with pytest.raises(openai.NotFoundError) as caught:
            await client.responses.create(input="On.", previous_response_id=third.id, **SHORT)
        assert caught.value.code == "previous_response_not_found"


async def test_another_key_finds_nothing(storing):
    """Whatever another key asks about a response, the answer is that of an id that never was."""
    async with client_of(storing.gateway) as ana, client_of(storing.gateway, "ben-secret-1") as ben:
        made = await ana.responses.create(input="Say hello.", **SHORT)
        held = await ana.conversations.create(items=[{"type": "message", "role": "user", "content": "Marker-held."}])
        never = made.id[:-4] + "0000"
        gone = "conv_" + "0" * 48

        async def told(call, *names) -> tuple[int, str]:
            with pytest.raises(openai.NotFoundError) as caught:
                await call(*names)
            text = str(caught.value.body)
            for unique in (made.id, held.id, never, gone):
                text = text.replace(unique.partition("_")[2], "ID")
            return caught.value.status_code, text

        async def proceed(previous: str) -> object:
            return await ben.responses.create(input="On.", previous_response_id=previous, **SHORT)

        async def lengthen(conversation: str) -> object:
            return await ben.responses.create(input="On.", conversation=conversation, **SHORT)

        async def refer(response: str) -> object:
            named = response.replace("resp_", "msg_") + "_0"
            return await ben.responses.create(input=[{"type": "item_reference", "id": named}], **SHORT)

        for call in (
            ben.responses.retrieve,
            ben.responses.delete,
            ben.responses.cancel,
            ben.responses.input_items.list,
            proceed,
            refer,
        ):
            assert await told(call, made.id) == await told(call, never)
        for call in (ben.conversations.retrieve, ben.conversations.delete, ben.conversations.items.list, lengthen):
            assert await told(call, held.id) == await told(call, gone)
        assert await ana.responses.retrieve(made.id)


async def test_a_conversation_grows(storing):
    """Items and responses lengthen a conversation; each of them can be read and deleted, and then it is gone."""
    async with client_of(storing.gateway) as client:
        held = await client.conversations.create(
            metadata={"topic": "harbour"}, items=[{"type": "message", "role": "user", "content": f"Marker-one. {LONG}"}]
        )
        made = await client.responses.create(input="Marker-two.", conversation=held.id, **SHORT)
        assert made.conversation is not None
        assert made.conversation.id == held.id
        assert "Marker-one" in storing.cloud.bodies[-1].decode()
        added = await client.conversations.items.create(
            held.id, items=[{"type": "message", "role": "user", "content": "Marker-three."}]
        )
        listed = [item async for item in client.conversations.items.list(held.id, order="asc", limit=2)]
        texts = [item.content[0].text for item in listed]
        assert [text.split(".")[0] for text in (texts[0], texts[1], texts[3])] == [
            "Marker-one",
            "Marker-two",
            "Marker-three",
        ]
        found = await client.conversations.items.retrieve(added.data[0].id, conversation_id=held.id)
        assert found == added.data[0]
        await client.conversations.items.delete(added.data[0].id, conversation_id=held.id)
        assert len([item async for item in client.conversations.items.list(held.id)]) == 3
        changed = await client.conversations.update(held.id, metadata={"topic": "bread"})
        assert (await client.conversations.retrieve(held.id)).metadata == changed.metadata == {"topic": "bread"}
        with pytest.raises(openai.BadRequestError):
            await client.responses.create(input="x", conversation=held.id, previous_response_id=made.id, **SHORT)
        assert (await client.conversations.delete(held.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await client.conversations.items.list(held.id)


async def test_an_item_is_named_in_place_of_its_text(storing):
    """An item of a stored answer may be referred to by its id; one that is not there is an error, not a gap."""
    async with client_of(storing.gateway) as client:
        first = await client.responses.create(input=f"Marker-told. {LONG}", **SHORT)
        await client.responses.create(
            input=[
                {"role": "user", "content": f"Go on. {LONG}"},
                {"type": "item_reference", "id": first.output[0].id},
                {"role": "user", "content": "Marker-asked."},
            ],
            **SHORT,
        )
        sent = storing.cloud.bodies[-1].decode()
        assert "Marker-told" not in sent
        assert sent.index("The cloud says") < sent.index("Marker-asked")
        with pytest.raises(openai.NotFoundError) as caught:
            await client.responses.create(input=[{"type": "item_reference", "id": "msg_gone"}], **SHORT)
        assert caught.value.code == "item_not_found"


async def test_a_conversation_is_compacted(storing):
    """A summary takes the place of a conversation: its client keeps it, sealed, and it tells a model what was said."""
    said = [
        {"role": "user", "content": f"Marker-one. {LONG}"},
        {"role": "assistant", "content": "Marker-answer."},
        {"role": "user", "content": "Marker-two."},
    ]
    async with client_of(storing.gateway) as client, client_of(storing.gateway, "ben-secret-1") as ben:
        compacted = await client.responses.compact(model="auto", input=said)
        assert compacted.object == "response.compaction"
        *messages, summary = compacted.output
        assert [item.content[0].text.split(".")[0] for item in messages] == ["Marker-one", "Marker-two"]
        assert summary.type == "compaction"
        assert "cloud" not in summary.encrypted_content
        # the package types a user's message as the model's
        items = [item.model_dump(exclude_none=True, warnings=False) for item in compacted.output]
        more = {"role": "user", "content": "Marker-three."}
        raw = await client.responses.with_raw_response.create(input=[*items, more], **SHORT)
        sent = storing.cloud.bodies[-1].decode()
        assert "Summary of the conversation so far" in sent
        assert sent.index("Marker-two") < sent.index("The cloud says") < sent.index("Marker-three")
        assert "compaction" not in raw.headers.get("x-aduana-dropped", "")
        again = await client.responses.create(input="On.", previous_response_id=raw.parse().id, **SHORT)
        assert again.output_text
        assert "The cloud says" in storing.cloud.bodies[-1].decode()
        altered = items[-1] | {"encrypted_content": items[-1]["encrypted_content"][:-8] + "AAAAAAA="}
        for asking, item in ((ben, items[-1]), (client, altered)):
            with pytest.raises(openai.BadRequestError) as caught:
                await asking.responses.create(input=[item, more], **SHORT)
            assert caught.value.code == "compaction_not_readable"


async def test_what_a_private_summary_stands_for_stays(storing):
    """A summary of something private is private, although nothing of it can be read in the item."""
    before = len(storing.cloud.bodies)
    async with client_of(storing.gateway, tags="health") as private, client_of(storing.gateway) as client:
        compacted = await private.responses.compact(model="auto", input="Marker-confided.")
        item = compacted.output[-1].model_dump(exclude_none=True)
        raw = await client.responses.with_raw_response.create(input=[item, {"role": "user", "content": LONG}], **SHORT)
    assert (raw.headers["x-aduana-zone"], raw.headers["x-aduana-label"]) == ("local", "sensitive")
    assert len(storing.cloud.bodies) == before


async def test_a_private_summary_keeps_no_other_summary_at_home(tmp_path_factory):
    """What the gateway itself asks for a summary is nobody's secret, also where the first one was private."""
    folder = tmp_path_factory.mktemp("first summary")
    async with StandInCloud() as cloud, gateway_in(folder, cloud) as gateway:
        await gateway.until_ready()
        async with client_of(gateway, tags="health") as private, client_of(gateway) as client:
            await private.responses.compact(model="auto", input="My results are back.")
            await client.responses.compact(model="auto", input=f"Of the garden. {LONG}")
        assert "Of the garden" in cloud.bodies[-1].decode()


async def test_what_the_field_does_not_offer_is_told_in_its_words(storing):
    """Cancelling, streaming again and the background have a clear error each."""
    async with client_of(storing.gateway) as client:
        made = await client.responses.create(input="Say hello.", **SHORT)
        with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
            await client.responses.cancel(made.id)
        with pytest.raises(openai.BadRequestError, match="stream"):
            await client.responses.retrieve(made.id, stream=True)
        with pytest.raises(openai.BadRequestError, match="background"):
            await client.responses.create(input="Say hello.", background=True, **SHORT)


async def test_what_continues_something_private_stays(tmp_path):
    """A tag made the first turn private: what continues it stays at home without the tag, also after a restart.

    What was cut from the store is not found; what was altered, put in another's place or given to another owner is
    refused. Nothing of all that reaches the cloud.
    """
    async with StandInCloud() as cloud:
        async with gateway_in(tmp_path, cloud) as gateway:
            await gateway.until_ready()
            async with client_of(gateway, tags="health") as private, client_of(gateway) as client:
                first = await private.responses.create(input="Marker-private.", **SHORT)
                item = {"type": "message", "role": "user", "content": "Marker-held."}
                held = await private.conversations.create(items=[item])
                second = await client.responses.create(input="On.", previous_response_id=first.id, **SHORT)
                reference = {"type": "item_reference", "id": first.output[0].id}
                named = await client.responses.create(input=[{"role": "user", "content": LONG}, reference], **SHORT)
                await client.responses.create(input=LONG, conversation=held.id, **SHORT)
                listed = await client.conversations.items.list(held.id, order="asc")
                await client.conversations.items.delete(listed.data[0].id, conversation_id=held.id)
                harmed = {harm: (await private.responses.create(input="Marker-private.", **SHORT)).id for harm in HARMS}
        for harm, change in HARMS.items():
            with contextlib.closing(sqlite3.connect(tmp_path / "state" / "responses.sqlite3")) as database, database:
                assert database.execute(change, {"id": harmed[harm], "other": second.id}).rowcount == 1
        async with gateway_in(tmp_path, cloud) as gateway:
            await gateway.until_ready()
            async with client_of(gateway) as client, client_of(gateway, "ben-secret-1") as ben:
                for fields in (
                    {"previous_response_id": first.id},
                    {"previous_response_id": second.id},
                    {"previous_response_id": named.id},
                    {"conversation": held.id},
                ):
                    create = client.responses.with_raw_response.create
                    raw = await create(input=f"Marker-again. {LONG}", **fields, **SHORT)
                    assert raw.headers["x-aduana-zone"] == "local"
                    assert raw.headers["x-aduana-label"] == "sensitive"
                for harm, earlier in harmed.items():
                    asking = ben if harm == "given to another owner" else client
                    with pytest.raises(openai.APIStatusError) as caught:
                        await asking.responses.create(input=LONG, previous_response_id=earlier, **SHORT)
                    told = caught.value.status_code, caught.value.code
                    missing = (404, "previous_response_not_found")
                    assert told == (missing if harm == "cut" else (500, "stored_object_damaged")), harm
        assert cloud.bodies == []


async def test_without_the_setting_nothing_is_stored(house):
    """By default nothing is kept, the answer says so, and an earlier response is not found."""
    async with openai.AsyncOpenAI(base_url=house.base_url, api_key="unused", max_retries=0) as client:
        raw = await client.responses.with_raw_response.create(input="Say hello.", store=True, **SHORT)
        assert "store" in raw.headers["x-aduana-dropped"]
        made = raw.parse()
        assert made.model_dump()["store"] is False
        for ask in (
            client.responses.retrieve(made.id),
            client.responses.create(input="On.", previous_response_id=made.id, **SHORT),
            client.responses.create(input="On.", conversation="conv_1", **SHORT),
        ):
            with pytest.raises(openai.NotFoundError):
                await ask
        with pytest.raises(openai.BadRequestError, match="store: on"):
            await client.conversations.create()
    assert not (house.gateway.folder / "state" / "responses.sqlite3").exists()


async def test_turning_it_off_erases_what_was_stored(tmp_path):
    """The file has no text that can be read, and is gone once the owner has turned storing off."""
    async with StandInCloud() as cloud:
        file = tmp_path / "state" / "responses.sqlite3"
        async with gateway_in(tmp_path, cloud) as gateway:
            await gateway.until_ready()
            async with client_of(gateway) as client:
                await client.responses.create(input="Marker-kept.", **SHORT)
            assert b"Marker-kept" not in file.read_bytes()
            assert file.stat().st_mode & 0o777 == 0o600
        async with gateway_in(tmp_path, cloud, KEYS.replace("store: on", "store: off")) as gateway:
            async with httpx2.AsyncClient() as client:
                assert (await client.get(gateway.url + "/healthz")).status_code == 200
            assert not file.exists()
