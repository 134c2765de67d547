"""The official OpenAI SDK against the real gateway with the real starter model."""

import asyncio

import openai
import pytest
import pytest_asyncio

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def client(house):
    """Return the SDK client as an app developer sets it up: only `base_url` changed."""
    async with openai.AsyncOpenAI(base_url=house.base_url, api_key="unused", max_retries=0) as client:
        yield client


async def test_chat_answers(client):
    """The local model gives a whole answer, with usage and a finish reason."""
    answer = await client.chat.completions.create(
        model="auto",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        max_tokens=24,
        temperature=0,
    )
    assert len(answer.choices[0].message.content.split()) > 2
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


async def test_a_stream_is_the_same_answer_in_pieces(client):
    """Streamed and whole answers agree at temperature 0; usage comes once, at the end."""
    request = {
        "model": "auto",
        "messages": [{"role": "user", "content": "Count from one to five."}],
        "max_tokens": 24,
        "temperature": 0,
    }
    whole = await client.chat.completions.create(**request)
    stream = await client.chat.completions.create(**request, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert [chunk.usage is not None for chunk in chunks].count(True) == 1
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len({chunk.id for chunk in chunks}) == 1


async def test_eight_streams_interleave(client):
    """Eight streams at once: every one of them is under way before the first has ended."""
    order: list[int] = []

    async def one(number: int) -> str:
        stream = await client.chat.completions.create(
            model="local",
            messages=[{"role": "user", "content": f"Tell me a story about the number {number}."}],
            max_tokens=32,
            temperature=0,
            stream=True,
            extra_body={"ignore_eos": True},
        )
        text = ""
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                order.append(number)
                text += chunk.choices[0].delta.content
        return text

    texts = await asyncio.gather(*(one(number) for number in range(8)))
    assert all(texts)
    first_end = min(len(order) - 1 - order[::-1].index(number) for number in range(8))
    assert set(order[:first_end]) == set(range(8))


async def test_completions_and_embeddings_and_models(client):
    """The endpoints for completions, embeddings and models answer the SDK, too."""
    completion = await client.completions.create(model="auto", prompt="The sky is", max_tokens=8, temperature=0)
    assert completion.choices[0].text.strip()
    vectors = await client.embeddings.create(model="auto", input=["a cat", "a kitten", "compound interest"])
    cat, kitten, money = (item.embedding for item in vectors.data)
    near = sum(a * b for a, b in zip(cat, kitten, strict=True))
    far = sum(a * b for a, b in zip(cat, money, strict=True))
    assert len(cat) == 576
    assert near > far
    assert {model.id for model in (await client.models.list()).data} == {"auto", "local"}
    assert (await client.models.retrieve("local")).id == "local"


async def test_answers_say_where_they_come_from(client):
    """An answer's headers tell target, zone, label and rule."""
    raw = await client.chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": "Hi"}], max_tokens=4
    )
    assert raw.headers["x-aduana-target"] == "home"
    assert raw.headers["x-aduana-zone"] == "local"
    assert raw.headers["x-aduana-label"] == "internal"
    assert raw.headers["x-aduana-rule"] == "otherwise"
    assert raw.headers["x-request-id"].startswith("req_")


async def test_bad_input_is_an_error_in_openai_words(client):
    """A client's mistake arrives as the SDK's own exception, naming the field."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="auto", messages=[{"role": "wizard", "content": "x"}])
    assert caught.value.param == "messages[0].role"


async def test_a_prompt_that_fits_nowhere_says_so(client):
    """A prompt longer than the window is an error with OpenAI's code, never cut in silence."""
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="local", messages=[{"role": "user", "content": "word " * 3_000}])
    assert caught.value.code == "context_length_exceeded"


async def test_moderation_happens_at_home(client, house):
    """A text is moderated by the local model, however public it is and whatever was moderated before."""
    before = len(house.cloud.bodies)
    await client.moderations.create(input="My results are back.", extra_headers={"x-aduana-tags": "health"})
    long = "The garden society counted its tulips, hung up the lamps and baked a cake for everybody. " * 40
    raw = await client.moderations.with_raw_response.create(
        input=["Good morning.", f"Marker-moderated. {long}"], extra_headers={"x-aduana-tags": "public"}
    )
    assert (raw.headers["x-aduana-zone"], raw.headers["x-aduana-label"]) == ("local", "public")
    found = raw.parse()
    assert len(found.results) == 2
    assert all(one.flagged is any(one.categories.model_dump().values()) for one in found.results)
    mixed = await client.moderations.with_raw_response.create(
        input=["My IBAN is ES9121000418450200051332.", "Good morning."], extra_headers={"x-aduana-tags": "public"}
    )
    assert mixed.headers["x-aduana-label"] == "sensitive"  # of all inputs the highest, not the last one's
    assert len(house.cloud.bodies) == before
    with pytest.raises(openai.BadRequestError) as caught:
        await client.moderations.create(input=[])
    assert caught.value.param == "input"
