"""Sensitive data stays local: what the stand-in cloud's log shows, and what it must not."""

import httpx2
import openai
import pytest

from tests.e2e.conftest import WITH_THE_SEAL, write_house
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]

LONG = "The committee met again and spoke of the harbour, the weather and the price of bread. " * 40
IBAN = "ES91 2100 0418 4502 0005 1332"


def client_of(url: str, **headers: str) -> openai.AsyncOpenAI:
    """Return the SDK client of an app with default headers of its own."""
    return openai.AsyncOpenAI(base_url=url, api_key="unused", max_retries=0, default_headers=headers)


async def test_only_the_public_prompt_leaves(house):
    """The same long prompt: public goes out; tagged `health`, or with an IBAN in the system message, it does not."""
    question = {"role": "user", "content": LONG + "Summarise in one word."}

    async def ask(messages, tags, marker):
        async with client_of(house.base_url, **{"x-aduana-tags": tags}) as client:
            return await client.chat.completions.with_raw_response.create(
                model="auto", max_tokens=4, messages=[{"role": "system", "content": marker}, *messages]
            )

    public = await ask([question], "public", "Marker-public.")
    assert (public.headers["x-aduana-target"], public.headers["x-aduana-rule"]) == ("big", "long prompts go out")
    assert "Marker-public" in house.cloud.arrived

    tagged = await ask([question], "health", "Marker-tagged.")
    assert (tagged.headers["x-aduana-target"], tagged.headers["x-aduana-label"]) == ("home", "sensitive")

    found = await ask([question], "public", f"Marker-found. Pay to {IBAN}.")
    assert (found.headers["x-aduana-target"], found.headers["x-aduana-label"]) == ("home", "sensitive")

    assert "Marker-tagged" not in house.cloud.arrived
    assert "Marker-found" not in house.cloud.arrived
    assert "2100" not in house.cloud.arrived


async def test_sensitive_and_too_long_for_home_is_refused(house):
    """What may not leave and does not fit is refused with a clear error; the cloud that could hold it sees nothing."""
    before = len(house.cloud.bodies)
    async with client_of(house.base_url, **{"x-aduana-tags": "health"}) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.chat.completions.create(model="auto", messages=[{"role": "user", "content": LONG * 4}])
    assert caught.value.code == "context_length_exceeded"
    assert len(house.cloud.bodies) == before


REFUSED = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": IBAN + LONG * 4}]},
    "/v1/completions": {"prompt": IBAN + LONG * 4},
    "/v1/embeddings": {"input": IBAN + LONG * 4},
    "/v1/rerank": {"query": IBAN, "documents": ["a"]},
    "/v1/systemone": {"state": IBAN, "questions": {"a": {"type": "noul", "instructions": "?"}}},
    "/v1/decisions": {"input": IBAN, "questions": [{"type": "predicate", "instructions": "?"}]},
    "/v1/moderations": {"input": IBAN + LONG * 4},
    "/v1/responses": {"input": IBAN + LONG * 4},
    "/v1/messages": {"max_tokens": 4, "messages": [{"role": "user", "content": IBAN + LONG * 4}]},
    "/api/chat": {"messages": [{"role": "user", "content": IBAN + LONG * 4}]},
    "/api/generate": {"prompt": IBAN + LONG * 4},
    "/api/embed": {"input": IBAN + LONG * 4, "truncate": False},
}


@pytest.mark.parametrize("path", REFUSED)
async def test_a_refusal_says_what_kept_the_request_at_home(house, path):
    """In every dialect a refusal has label, rule and categories in its headers and its body, and never the text."""
    async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=60) as client:
        body = {"model": "auto", **REFUSED[path]}
        answer = await client.post(path, json=body, headers={"x-aduana-tags": "health"})
    assert answer.status_code == 400, answer.text
    assert answer.headers["x-aduana-label"] == "sensitive"
    assert answer.headers["x-aduana-rule"] in ("otherwise", "long prompts go out")
    reasons = answer.headers["x-aduana-reasons"].removesuffix(", taint")  # by then the text is known from before
    assert reasons == "financial.iban=1, tag.health"
    assert "x-aduana-target" not in answer.headers
    body = answer.json()
    told = body.get("aduana") or body["error"]["aduana"]
    assert answer.headers["x-aduana-decision"] == told["decision"] == "refused"
    assert (told["label"], told["rule"]) == ("sensitive", answer.headers["x-aduana-rule"])
    assert told["categories"] == ["financial.iban"]
    assert "tag.health" in told["reasons"]
    assert "2100" not in answer.text + str(answer.headers)


async def test_without_home_sensitive_requests_are_refused_with_503(tmp_path):
    """With the local target gone, sensitive requests wait or fail; they never cross."""
    async with StandInCloud() as cloud:
        config = write_house(tmp_path, cloud).replace(
            "{kind: embedded, model: smollm2, context: 2048, slots: 8, threads: 1}",
            '{kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}',
        )
        async with RunningGateway(tmp_path, config, env=WITH_THE_SEAL) as gateway:
            url = gateway.url + "/v1"
            async with client_of(url, **{"x-aduana-tags": "health"}) as client:
                with pytest.raises(openai.APIStatusError) as caught:
                    await client.chat.completions.create(
                        model="auto", messages=[{"role": "user", "content": "My blood test is back."}]
                    )
            assert caught.value.status_code == 503
            async with client_of(url, **{"x-aduana-tags": "public"}) as client:
                answer = await client.chat.completions.create(
                    model="auto", messages=[{"role": "user", "content": "Hello there."}]
                )
            assert answer.choices[0].message.content.startswith("The cloud")
        assert "blood" not in cloud.arrived
        assert "Hello there." in cloud.arrived


async def test_what_a_target_was_not_sent_is_said(house):
    """Fields that a translation has no place for, or that no cloud is sent, are named in the answer's header."""
    said = {"role": "user", "content": [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]}
    body = {"model": "auto", "max_tokens": 4, "metadata": {"user_id": "u1"}, "thinking": {"type": "adaptive"}}

    async def dropped(tags):
        async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=60) as client:
            asked = {**body, "messages": [said]}
            answer = await client.post("/v1/messages", json=asked, headers={"x-aduana-tags": tags})
        return answer.headers["x-aduana-target"], answer.headers["x-aduana-dropped"]

    named = "thinking, messages[].content[].cache_control"
    assert await dropped("public") == ("big", f"{named}, user")
    assert await dropped("health") == ("home", named)


@pytest.mark.parametrize("way", ["header", "admin"])
async def test_a_decision_can_be_looked_at_without_sending(house, way):
    """The header and the admin route show the whole decision; nothing leaves, and no content is in it."""
    before = len(house.cloud.bodies)
    path, headers = {
        "header": ("/v1/chat/completions", {"x-aduana-explain": "1"}),
        "admin": ("/admin/explain", {}),
    }[way]
    body = {"model": "auto", "messages": [{"role": "user", "content": f"Marker-explain {LONG}"}]}
    async with httpx2.AsyncClient(base_url=house.gateway.url, timeout=60) as client:
        answer = await client.post(path, json=body, headers={"x-aduana-tags": "public", **headers})
    explanation = answer.json()
    assert (explanation["label"], explanation["chosen_by"]) == ("public", "long prompts go out")
    assert explanation["candidates"] == ["big", "home"]
    assert "Marker-explain" not in answer.text
    assert len(house.cloud.bodies) == before
