"""Pictures and sound through the whole gateway, by the official clients of every dialect.

The models have random weights: what they answer means nothing. What is asserted is that pictures reach them, are
counted, are cached, and that everything that can't be taken is refused in words that help.
"""

import base64
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import anthropic
import ollama
import openai
import pytest
import pytest_asyncio

from tests.engine.tiny_vision import picture, sound, write_ear, write_projector, write_seeing_generator
from tests.standins.gateway import RunningGateway

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]

CONFIG = """
models_dir: {models}
targets:
  eyes: {{kind: embedded, model: seeing, mmproj: eyes, context: 1024, slots: 3, batch: 64, repack: false}}
  ears: {{kind: embedded, model: hearing, mmproj: ears, context: 1024, slots: 2, batch: 64, repack: false}}
  words: {{kind: embedded, model: reading, context: 1024, slots: 2, batch: 64, repack: false}}
"""
TALL = picture(2, width=30, height=90)
TOKENS = 16  # of any picture, with this projector


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningGateway]:
    """A model that sees, one that hears, one that only reads."""
    folder = tmp_path_factory.mktemp("pictures")
    models = folder / "models"
    models.mkdir()
    for name in ("seeing", "hearing", "reading"):
        write_seeing_generator(models / f"{name}.gguf")
    write_projector(models / "eyes.gguf")
    write_ear(models / "ears.gguf")
    async with RunningGateway(folder, CONFIG.format(models=models)) as gateway:
        await gateway.until_ready()
        yield gateway


def url(data: bytes, kind: str = "image/png") -> str:
    """A data URL."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def shown(*parts: str | bytes) -> list[dict[str, object]]:
    """A question with pictures, as OpenAI's clients put it."""
    content: list[dict[str, object]] = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": url(part)}}
        for part in parts
    ]
    return [{"role": "user", "content": content}]


async def asked(house: RunningGateway, messages: object, model: str = "eyes") -> tuple[int, dict]:
    """Status and body of a chat completion."""
    body = {"model": model, "messages": messages, "max_tokens": 4, "temperature": 0}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.url}/v1/chat/completions", json=body) as answer,
    ):
        return answer.status, {"target": answer.headers.get("x-aduana-target"), **await answer.json()}


async def test_a_picture_in_every_dialect(house: RunningGateway) -> None:
    """OpenAI's chat and Responses, Anthropic's messages and Ollama's chat answer about a picture, and count it."""
    data = base64.b64encode(picture(1)).decode()
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key="unused", max_retries=0) as client:
        plain = await client.chat.completions.create(
            model="eyes", max_tokens=4, messages=[{"role": "user", "content": "what?"}]
        )
        chat = await client.chat.completions.create(model="eyes", max_tokens=4, messages=shown("what?", picture(1)))
        response = await client.responses.create(
            model="eyes",
            max_output_tokens=4,
            input=[
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "what?"},
                        {"type": "input_image", "image_url": url(picture(1)), "detail": "auto"},
                    ],
                }
            ],
        )
    async with anthropic.AsyncAnthropic(base_url=house.url, api_key="unused", max_retries=0) as client:
        source = {"type": "base64", "media_type": "image/png", "data": data}
        content = [{"type": "text", "text": "what?"}, {"type": "image", "source": source}]
        message = await client.messages.create(
            model="eyes", max_tokens=4, messages=[{"role": "user", "content": content}]
        )
    client = ollama.AsyncClient(host=house.url)
    told = await client.chat(
        model="eyes", messages=[{"role": "user", "content": "what?", "images": [data]}], options={"num_predict": 4}
    )
    assert "vision" in (await client.show("eyes")).capabilities
    assert "vision" not in (await client.show("words")).capabilities
    await client.close()
    seen = chat.usage.prompt_tokens
    assert seen == plain.usage.prompt_tokens + TOKENS + 2  # and the marks around it
    assert response.usage.input_tokens == seen
    usage = message.usage
    assert usage.input_tokens + (usage.cache_read_input_tokens or 0) == seen
    assert told.prompt_eval_count == seen


async def test_the_same_picture_again_is_cached(house: RunningGateway) -> None:
    """The second question about two pictures computes only the question; another picture is computed anew."""
    first = shown(picture(5), "and", TALL, "?")
    status, body = await asked(house, first)
    assert status == 200
    status, body = await asked(house, [*first, {"role": "assistant", "content": "x"}, *shown("why?")])
    assert status == 200
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] > 2 * TOKENS
    status, body = await asked(house, shown(picture(6), "and", TALL, "?"))
    assert status == 200
    assert body["usage"]["prompt_tokens_details"]["cached_tokens"] <= 20  # the words before it


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF", "BMP"])
async def test_formats(form: str, house: RunningGateway) -> None:
    """What telephones and browsers make is taken, whatever its data URL says."""
    status, _ = await asked(house, shown(picture(1, form=form), "?"))
    assert status == 200


async def test_a_sound(house: RunningGateway) -> None:
    """A model that hears takes WAV and counts it; one that sees does not get it."""
    part = {"type": "input_audio", "input_audio": {"data": base64.b64encode(sound(1)).decode(), "format": "wav"}}
    messages = [{"role": "user", "content": [part, {"type": "text", "text": "?"}]}]
    status, body = await asked(house, messages, "ears")
    assert status == 200
    assert body["usage"]["prompt_tokens"] > 47
    status, body = await asked(house, messages, "eyes")
    assert status == 400


async def test_a_picture_goes_to_the_model_that_sees(house: RunningGateway) -> None:
    """Where any model may answer, the one with eyes does, and a text goes on to the first."""
    status, body = await asked(house, shown("?", picture(1)), "auto")
    assert (status, body["target"]) == (200, "eyes")


def huge() -> bytes:
    """A PNG that says of itself that it has 20,000 × 20,000 pixels."""
    header = b"IHDR" + struct.pack(">II5B", 20_000, 20_000, 8, 2, 0, 0, 0)
    pixels = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in (header, pixels)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def part(address: str) -> list[dict[str, object]]:
    """A question with a picture by this address."""
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": address}}]}]


@pytest.mark.parametrize(
    ("messages", "model", "says"),
    [
        (shown(huge()), "eyes", "million pixels"),
        (shown(b"this is no picture at all"), "eyes", "can't be read"),
        (shown(picture(1)[:-200]), "eyes", "damaged or incomplete"),
        (part("https://example.org/a.png"), "eyes", "send it as a data URL"),
        (part("data:image/png;base64,@@@@"), "eyes", "base64"),
        (part(""), "eyes", "empty"),
        (shown(*[picture(1)] * 33), "eyes", "at most 32"),
        (shown("?", picture(1)), "words", "images"),
        (shown("?" * 900, *[picture(1)] * 20), "eyes", "window"),
    ],
    ids=["20,000 x 20,000", "no picture", "cut off", "address", "base64", "empty", "33", "text only", "too long"],
)
async def test_what_can_not_be_taken(
    messages: list[dict[str, object]], model: str, says: str, house: RunningGateway
) -> None:
    """Each is refused with 400 and a reason, and the model goes on."""
    status, body = await asked(house, messages, model)
    assert status == 400, body
    assert says in body["error"]["message"]
    status, _ = await asked(house, shown("on"))
    assert status == 200


@pytest.mark.parametrize("fault", ["missing", "no projector"])
async def test_a_projector_that_is_none(fault: str, tmp_path: Path) -> None:
    """The gateway does not start, and says which file of which target is wrong."""
    models = tmp_path / "models"
    models.mkdir()
    for name in ("seeing", "hearing", "reading"):
        write_seeing_generator(models / f"{name}.gguf")
    write_ear(models / "ears.gguf")
    if fault == "no projector":
        write_seeing_generator(models / "eyes.gguf")
    with pytest.raises(RuntimeError) as caught:
        async with RunningGateway(tmp_path, CONFIG.format(models=models)):
            pass
    said = str(caught.value)
    assert "eyes" in said
    assert ("targets.eyes.mmproj" if fault == "no projector" else "There is no model 'eyes'") in said.replace("\n", " ")
