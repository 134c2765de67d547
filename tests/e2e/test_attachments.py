"""Attachments through the whole gateway: read by the real reader, inspected, kept at home or let go as one wants."""

import base64
from collections.abc import AsyncIterator

import aiohttp
import anthropic
import openai
import pytest
import pytest_asyncio

from tests.e2e.conftest import House, write_house
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

ATTACHMENTS = """
attachments: {clean_may_leave: [text, spreadsheet], for_text_models: true}
batches: {store: on}
"""
CLEAN = b"Opening hours\nMonday;nine to five\nTuesday;nine to two\n" * 3
TELLING = CLEAN + b"IBAN;ES91 2100 0418 4502 0005 1332\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A text model at home, and a cloud that takes files."""
    folder = tmp_path_factory.mktemp("attachments")
    async with StandInCloud() as cloud:
        config = write_house(folder, cloud, ATTACHMENTS).replace(
            "model: big-1,", "model: big-1, capabilities: [files],"
        )
        env = {"STANDIN_KEY": "sk-standin"}
        async with RunningGateway(folder, config, env=env) as gateway:
            await gateway.until_ready()
            yield House(gateway, cloud)


def asking(data: bytes, name: str = "hours.txt", text: str = "When is it open?") -> list[dict[str, object]]:
    """Return messages with a file."""
    url = f"data:text/plain;base64,{base64.b64encode(data).decode()}"
    file = {"type": "file", "file": {"filename": name, "file_data": url}}
    return [{"role": "user", "content": [{"type": "text", "text": text}, file]}]


async def asked(office: House, data: bytes, model: str = "auto") -> tuple[str, openai.types.chat.ChatCompletion]:
    """Return which target answered, and the answer."""
    async with openai.AsyncOpenAI(base_url=office.base_url, api_key="unused", max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model=model, max_tokens=4, messages=asking(data), extra_headers={"x-aduana-tags": "public"}
        )
    return raw.headers["x-aduana-target"], raw.parse()


async def test_a_text_model_at_home_answers_about_a_file(office: House) -> None:
    """The model that takes no files is given what was read: the file's words count in its prompt."""
    target, short = await asked(office, CLEAN[:60], "local")
    assert target == "home"
    _, long = await asked(office, CLEAN, "local")
    assert long.usage.prompt_tokens > short.usage.prompt_tokens + 20


async def test_a_clean_file_may_leave_and_a_telling_one_stays(office: House) -> None:
    """A file that was read whole and is clean goes to the cloud as it came; with somebody's account in it, it stays."""
    async with aiohttp.ClientSession() as session:
        for data, place in ((CLEAN * 20, "big"), (TELLING * 20, "home")):
            body = {"model": "auto", "messages": asking(data)}
            headers = {"x-aduana-tags": "public", "x-aduana-explain": "1"}
            async with session.post(f"{office.base_url}/chat/completions", json=body, headers=headers) as answer:
                explained = await answer.json()
            assert explained["candidates"][0] == place
            (line,) = explained["attachments"]
            assert (line["path"], line["read"]) == ('$.messages[0].file "hours.txt"', "whole")
    target, _ = await asked(office, CLEAN * 20)
    assert target == "big"
    assert base64.b64encode(CLEAN * 20).decode() in office.cloud.arrived
    before = len(office.cloud.bodies)
    target, _ = await asked(office, TELLING)
    assert target == "home"
    assert len(office.cloud.bodies) == before


async def test_the_gateway_says_how_files_are_read(office: House) -> None:
    """`/readyz` and the console say that attachments are read, and what holds the processes that do it."""
    async with aiohttp.ClientSession() as session:
        async with session.get(office.gateway.url + "/readyz") as answer:
            told = (await answer.json())["attachments"]
        async with session.get(office.gateway.url + "/") as answer:
            page = await answer.text()
        async with session.get(office.gateway.url + "/metrics") as answer:
            metrics = await answer.text()
    assert told.startswith("read")
    assert "the processes are held by" in told
    assert "Attachments are read" in page
    assert 'aduana_attachment_read_seconds_count{kind="text",outcome="whole"}' in metrics


async def test_a_stored_file_is_named_by_its_id(office: House) -> None:
    """OpenAI's and Anthropic's own clients upload a file and name it; it is inspected like one in the body."""
    async with openai.AsyncOpenAI(base_url=office.base_url, api_key="unused", max_retries=0) as client:
        clean = await client.files.create(file=("hours.txt", CLEAN * 20), purpose="user_data")
        telling = await client.files.create(file=("bill.txt", TELLING), purpose="assistants")
        for file, place in ((clean, "big"), (telling, "home")):
            part = {"type": "file", "file": {"file_id": file.id}}
            asked = [{"role": "user", "content": [{"type": "text", "text": "When?"}, part]}]
            raw = await client.chat.completions.with_raw_response.create(
                model="auto", max_tokens=4, messages=asked, extra_headers={"x-aduana-tags": "public"}
            )
            assert raw.headers["x-aduana-target"] == place
            item = {"role": "user", "content": [{"type": "input_file", "file_id": file.id}]}
            whole = await client.responses.with_raw_response.create(
                model="auto", max_output_tokens=16, input=[item], extra_headers={"x-aduana-tags": "public"}
            )
            assert whole.headers["x-aduana-target"] == place
        await client.files.delete(clean.id)
        with pytest.raises(openai.NotFoundError, match="No such File"):
            await client.chat.completions.create(
                model="auto", messages=[{"role": "user", "content": [{"type": "file", "file": {"file_id": clean.id}}]}]
            )
    async with anthropic.AsyncAnthropic(base_url=office.gateway.url, api_key="unused", max_retries=0) as client:
        file = await client.beta.files.upload(file=("hours.txt", CLEAN, "text/plain"))
        assert (file.filename, file.mime_type, file.size_bytes) == ("hours.txt", "text/plain", len(CLEAN))
        assert file.id in [one.id async for one in client.beta.files.list()]
        assert (await client.beta.files.retrieve_metadata(file.id)).id == file.id
        source = {"type": "file", "file_id": file.id}
        content = [{"type": "document", "source": source}, {"type": "text", "text": "When is it open?"}]
        message = await client.beta.messages.create(
            model="local", max_tokens=4, betas=["files-api-2025-04-14"], messages=[{"role": "user", "content": content}]
        )
        assert message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0) > 50
        assert (await client.beta.files.delete(file.id)).type == "file_deleted"


async def test_an_address_is_fetched_by_nobody(office: House) -> None:
    """A file's address is refused in words that name the setting."""
    async with openai.AsyncOpenAI(base_url=office.base_url, api_key="unused", max_retries=0) as client:
        item = {"role": "user", "content": [{"type": "input_file", "file_url": "https://files.example/a.pdf"}]}
        with pytest.raises(openai.BadRequestError, match=r"attachments\.fetch\.hosts"):
            await client.responses.create(model="auto", input=[item])
