"""AUTOMATIC1111's web UI is asked in its own words, watched, and stopped when nobody waits any more."""

import asyncio

import pytest

from gateway.core.delta import Extra, Finish, Picture, UsageReport
from gateway.core.progress import Progress
from gateway.core.request import MediaWork
from gateway.core.target import Api
from tests.local.http.pictures.house import PICTURE, drawn, painter, wanted
from tests.standins.pictures import WebUi, encoded

pytestmark = pytest.mark.asyncio


async def test_a_prompt_in_its_words() -> None:
    """Size, number and the fields that it knows go on; nothing that would run a script or write a file does."""
    async with WebUi() as server, painter(server.root, Api.A1111, model="photon.safetensors") as target:
        request = wanted(
            n=2, size="640x448", steps=4, negative_prompt="fog", alwayson_scripts={"x": {"args": ["y"]}},
            script_name="custom code", save_images=True,
        )  # fmt: skip
        answer = await drawn(target, request)
    assert server.asked[-1] == {
        "prompt": "A harbour", "negative_prompt": "fog", "steps": 4, "width": 640, "height": 448, "batch_size": 2,
        "override_settings": {"sd_model_checkpoint": "photon.safetensors"},
    }  # fmt: skip
    assert [type(delta) for delta in answer] == [Picture, Picture, Extra, Finish, UsageReport]
    assert [delta.base64 for delta in answer if isinstance(delta, Picture)] == [encoded(0), encoded(1)]


@pytest.mark.parametrize("work", [MediaWork.EDITS, MediaWork.VARIATIONS])
async def test_a_picture_to_change(work: MediaWork) -> None:
    """An edit and a variation are its `img2img`, with the mask beside the picture."""
    async with WebUi() as server, painter(server.root, Api.A1111, model="default") as target:
        await drawn(target, wanted(work, image=PICTURE, mask=PICTURE, denoising_strength=0.4))
    said = server.asked[-1]
    assert (said["init_images"], said["mask"], said["denoising_strength"]) == ([PICTURE], PICTURE, 0.4)
    assert "override_settings" not in said


async def test_its_progress_is_looked_at() -> None:
    """How far it is, it says while it works."""
    gate, progress = asyncio.Event(), Progress()
    async with WebUi(gate=gate) as server, painter(server.root, Api.A1111) as target:
        work = asyncio.create_task(drawn(target, wanted(), progress))
        async with asyncio.timeout(20):
            while progress.share is None:  # noqa: ASYNC110 - a plain number that the target writes
                await asyncio.sleep(0.05)
        gate.set()
        await work
    assert progress.share == 0.25


async def test_a_server_without_progress_still_draws() -> None:
    """sd-server has no such page."""
    gate = asyncio.Event()
    async with WebUi(gate=gate, share=None) as server, painter(server.root, Api.A1111) as target:
        work = asyncio.create_task(drawn(target, wanted(), Progress()))
        await server.begun.wait()
        gate.set()
        assert len(await work) == 4


async def test_a_client_that_goes_away_stops_it() -> None:
    """The card is free again for whoever still waits."""
    async with WebUi(gate=asyncio.Event()) as server, painter(server.root, Api.A1111) as target:
        work = asyncio.create_task(drawn(target, wanted()))
        await server.begun.wait()
        work.cancel()
        async with asyncio.timeout(20):
            await server.interrupted.wait()
        assert server.gate is not None
        server.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await work
