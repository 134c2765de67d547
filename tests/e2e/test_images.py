"""Pictures through the whole gateway: the official SDK, a server at home, a cloud, and what may go where."""

import asyncio
import base64
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import httpx2
import openai
import pytest
import pytest_asyncio

from tests.standins.gateway import RunningGateway
from tests.standins.pictures import PictureServer, png

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = """
policy: {policy}
targets:
  painter: {{kind: openai, zone: local, base_url: "{home}", model: sd, endpoints: [images], slots: 1}}
  studio:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: gpt-image-1,
      ceiling: public, endpoints: [images]}}
models:
  auto: {{}}
  home: {{targets: [painter]}}
  away: {{targets: [studio]}}
"""
POLICY = """
version: 1
labels: {default: public, findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}}
otherwise: {prefer: [studio, painter]}
"""
IBAN = "ES91 2100 0418 4502 0005 1332"


class Gallery:
    """A running gateway, the server at home and the cloud."""

    def __init__(self, gateway: RunningGateway, home: PictureServer, cloud: PictureServer) -> None:
        self.gateway = gateway
        self.home = home
        self.cloud = cloud

    async def account(self, request_id: str) -> tuple[str, str, str]:
        """Return endpoint, outcome and target of a request, as the ledger has them when it is settled."""
        return await self._settled(request_id, "endpoint, outcome, target")

    async def money(self, request_id: str) -> tuple[int, int | None]:
        """Return what a request cost and what it avoided, in micro-dollars."""
        return await self._settled(request_id, "cost_micros, avoided_micros")

    async def _settled(self, request_id: str, columns: str) -> tuple:
        file: Path = self.gateway.folder / "state" / "ledger.sqlite3"
        async with asyncio.timeout(10):  # the settlement follows the last byte
            while True:
                with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as ledger:
                    found = ledger.execute(
                        f"SELECT {columns} FROM whole_receipts JOIN settlements USING (seq) WHERE request_id = ?",
                        (request_id,),
                    ).fetchone()
                if found is not None:
                    return found
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(tmp_path_factory) -> AsyncIterator[Gallery]:
    """Start a gateway whose policy lets everything leave that inspection finds clean."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "policy.yaml").write_text(POLICY)
    async with PictureServer() as home, PictureServer(previews=2, reports=True) as cloud:
        config = CONFIG.format(policy=folder / "policy.yaml", home=home.base_url, cloud=cloud.base_url)
        async with RunningGateway(folder, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            yield Gallery(gateway, home, cloud)


@pytest_asyncio.fixture(loop_scope="session")
async def client(gallery) -> AsyncIterator[openai.AsyncOpenAI]:
    """Return the SDK client as an app developer sets it up: only `base_url` changed."""
    async with openai.AsyncOpenAI(base_url=f"{gallery.gateway.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


async def test_a_prompt_becomes_pictures(gallery, client):
    """A clean prompt goes to the cloud, which is asked in its own words, and its pictures come back."""
    answer = await client.images.generate(model="away", prompt="A harbour at noon", n=2, size="1024x1024")
    assert [base64.b64decode(one.b64_json) for one in answer.data] == [png(shade=0), png(shade=1)]
    assert answer.usage.output_tokens == 272
    sent = json.loads(gallery.cloud.bodies[-1])
    assert sent == {"model": "gpt-image-1", "prompt": "A harbour at noon", "n": 2, "size": "1024x1024"}


async def test_a_server_at_home_is_asked_for_base64(gallery, client):
    """A local server gets what the client asked for, and never an address in place of a picture."""
    answer = await client.images.generate(model="home", prompt="A harbour at noon", extra_body={"steps": 4})
    assert base64.b64decode(answer.data[0].b64_json) == png()
    assert json.loads(gallery.home.bodies[-1]) == {
        "model": "sd", "prompt": "A harbour at noon", "steps": 4, "response_format": "b64_json",
    }  # fmt: skip


async def test_previews_come_before_the_picture(gallery, client):
    """A stream has the target's previews, then the picture with its usage."""
    stream = await client.images.generate(model="away", prompt="A harbour", stream=True, partial_images=2)
    events = [event async for event in stream]
    assert [event.type for event in events] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert [event.partial_image_index for event in events[:2]] == [0, 1]
    assert base64.b64decode(events[-1].b64_json) == png(shade=99)
    assert events[-1].usage.total_tokens == 280


async def test_a_stream_of_a_server_that_has_none_is_its_picture(gallery, client):
    """Where a target does not stream, the stream has the finished picture alone."""
    stream = await client.images.generate(model="home", prompt="A harbour", stream=True)
    assert [event.type async for event in stream] == ["image_generation.completed"]


async def test_a_prompt_with_an_account_number_stays_at_home(gallery, client):
    """An IBAN in a prompt keeps it at home, with a receipt; where only the cloud is asked for, it is refused."""
    before = len(gallery.cloud.bodies)
    raw = await client.images.with_raw_response.generate(model="auto", prompt=f"A letter that says {IBAN}")
    assert raw.headers["x-aduana-target"] == "painter"
    assert raw.headers["x-aduana-label"] == "sensitive"
    assert await gallery.account(raw.headers["x-request-id"]) == ("images", "ok", "painter")
    with pytest.raises(openai.PermissionDeniedError) as refused:
        await client.images.generate(model="away", prompt=f"A letter that says {IBAN}")
    assert await gallery.account(refused.value.response.headers["x-request-id"]) == ("images", "refused", None)
    assert len(gallery.cloud.bodies) == before


@pytest.mark.parametrize("many", [False, True])
async def test_a_picture_to_change_stays_at_home(gallery, client, many):
    """Nobody has read an input picture, so it goes to the server at home: as a form, under a name of ours."""
    before = len(gallery.cloud.bodies)
    picture = ("María Núñez.png", png(2, 2), "image/png")
    answer = await client.images.with_raw_response.edit(
        model="auto", prompt="The same by night", image=[picture] * 2 if many else picture, mask=("m.png", png(2, 2))
    )
    assert answer.headers["x-aduana-label"] == "sensitive"
    assert "doubt.image" in answer.headers["x-aduana-reasons"]
    form = gallery.home.forms[-1]
    assert form["image[]" if many else "image"] == [("image.png", png(2, 2))] * (2 if many else 1)
    assert form["mask"] == [("image.png", png(2, 2))]
    assert form["prompt"] == ["The same by night"]
    assert "Núñez".encode() not in gallery.home.bodies[-1]
    assert len(gallery.cloud.bodies) == before


async def test_a_variation_of_a_picture(gallery, client):
    """A variation needs no prompt."""
    with pytest.warns(DeprecationWarning, match="deprecated"):
        answer = await client.images.create_variation(model="auto", image=png(), n=2)
    assert len(answer.data) == 2
    assert gallery.home.paths[-1] == "/v1/images/variations"
    assert gallery.home.forms[-1]["n"] == ["2"]


async def test_the_client_that_waits(gallery):
    """The SDK's other client gets the same."""
    await asyncio.to_thread(_wait_for_pictures, gallery)


def _wait_for_pictures(gallery: Gallery) -> None:
    with openai.OpenAI(base_url=f"{gallery.gateway.url}/v1", api_key="unused", max_retries=0) as client:
        assert client.images.generate(model="auto", prompt="A harbour").data[0].b64_json
        assert client.images.edit(model="auto", prompt="By night", image=png()).data[0].b64_json
        with client.images.generate(model="away", prompt="A harbour", stream=True, partial_images=1) as stream:
            assert [event.type for event in stream][-1] == "image_generation.completed"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"response_format": "url"}, "keeps no pictures"),
        ({"size": "large"}, "WIDTHxHEIGHT"),
        ({"n": 1000}, "between"),
        ({"prompt": ""}, "is missing"),
    ],
)
async def test_what_can_not_be_given_is_refused_with_words(client, fields, words):
    """An address of a picture, an odd size or a thousand pictures are a 400 that says why."""
    with pytest.raises(openai.BadRequestError, match=words):
        await client.images.generate(**{"model": "auto", "prompt": "A harbour", **fields})


# What Nextcloud's integration_openai and Open WebUI send, from their sources.
NEXTCLOUD = {"prompt": "A harbour at noon", "size": "1024x1024", "n": 12, "model": "auto"}
OPEN_WEBUI = {"model": "auto", "prompt": "A harbour", "n": 1, "size": "512x512", "response_format": "b64_json"}


@pytest.mark.parametrize(("body", "made"), [(NEXTCLOUD, 12), (OPEN_WEBUI, 1)])
async def test_what_apps_send(gallery, body, made):
    """Their requests get as many pictures as they want, in base64, which both take."""
    async with httpx2.AsyncClient(base_url=gallery.gateway.url, timeout=60) as plain:
        answer = (await plain.post("/v1/images/generations", json=body)).json()
    assert len([one["b64_json"] for one in answer["data"]]) == made


async def test_an_edit_as_open_webui_sends_it(gallery):
    """Its form has a type on every field, and random names on files; tried again it is the same request."""
    headers = {"Idempotency-Key": "edit-1"}
    async with aiohttp.ClientSession(gallery.gateway.url) as plain:
        answers = []
        for _ in range(2):  # with a boundary of its own each time
            form = aiohttp.FormData()
            for name, value in {"model": "auto", "prompt": "By night", "n": "2", "response_format": "b64_json"}.items():
                form.add_field(name, value)
            form.add_field("image[]", png(), filename="4e1f.png", content_type="image/png")
            form.add_field("image[]", png(), filename="77aa.png", content_type="image/png")
            async with plain.post("/v1/images/edits", data=form, headers=headers) as answer:
                assert answer.status == 200
                answers.append((await answer.json(), answer.headers.get("idempotent-replayed")))
    assert len(answers[0][0]["data"]) == 2
    assert answers[0][0] == answers[1][0]
    assert [replayed for _, replayed in answers] == [None, "true"]


BAD_FORMS = {
    "no boundary": (b"x", "multipart/form-data"),
    "not the boundary": (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=a"),
    "cut": (b'--a\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nHel', "multipart/form-data; boundary=a"),
    "a form inside": (
        b"--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--a--\r\n",
        "multipart/form-data; boundary=a",
    ),
    "packed": (
        b'--a\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n'
        b"Content-Encoding: gzip\r\n\r\nx\r\n--a--\r\n",
        "multipart/form-data; boundary=a",
    ),
    "a file where none belongs": (
        b'--a\r\nContent-Disposition: form-data; name="notes"; filename="a.txt"\r\n\r\nx\r\n--a--\r\n',
        "multipart/form-data; boundary=a",
    ),
    "ten thousand fields": (
        b'--a\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n' * 10_000 + b"--a--\r\n",
        "multipart/form-data; boundary=a",
    ),
}


@pytest.mark.parametrize("form", BAD_FORMS)
async def test_a_broken_form_is_a_clear_error(gallery, form):
    """A form that can't be read is a 400 in OpenAI's shape, soon, and the gateway goes on."""
    body, kind = BAD_FORMS[form]
    async with httpx2.AsyncClient(base_url=gallery.gateway.url, timeout=20) as plain:
        answer = await plain.post("/v1/images/edits", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_a_budget_holds_for_pictures(tmp_path):
    """Money is set aside by number and size; where it does not reach, a picture is made at home, or nowhere."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with PictureServer() as home, PictureServer() as cloud:
        config = CONFIG.format(policy=tmp_path / "policy.yaml", home=home.base_url, cloud=cloud.base_url)
        config += """
budgets: {day_usd: 0.10}
prices: {pictures: {studio: [{size: 1024x1024, usd: 0.04}, {usd: 0.08}]}, reference_picture: 0.05}
"""
        async with (
            RunningGateway(tmp_path, config, env={"STANDIN_KEY": "sk-standin"}) as gateway,
            openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="unused", max_retries=0) as client,
        ):
            gallery = Gallery(gateway, home, cloud)
            with pytest.raises(openai.RateLimitError):  # of two large ones
                await client.images.generate(model="away", prompt="A harbour", n=2)
            asked = {"prompt": "A harbour", "n": 2, "size": "1024x1024"}
            raw = await client.images.with_raw_response.generate(model="auto", **asked)
            assert raw.headers["x-aduana-target"] == "studio"
            assert await gallery.money(raw.headers["x-request-id"]) == (80_000, None)
            again = await client.images.with_raw_response.generate(model="auto", **asked)
            assert again.headers["x-aduana-target"] == "painter"
            assert await gallery.money(again.headers["x-request-id"]) == (0, 100_000)
        assert len(cloud.paths) == 1
