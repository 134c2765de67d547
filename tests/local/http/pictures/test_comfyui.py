"""ComfyUI runs the owner's workflow with the request in its places, and keeps nothing of it in its history."""

import asyncio
import base64

import pytest

from gateway.core.delta import Picture, UsageReport
from gateway.core.document import freeze_object
from gateway.core.errors import TargetError
from gateway.core.request import MediaWork
from gateway.core.target import Api
from tests.local.http.pictures.house import PICTURE, drawn, painter, wanted
from tests.standins.pictures import ComfyUi, png

pytestmark = pytest.mark.asyncio

WORKFLOW = freeze_object(
    {
        "3": {
            "class_type": "KSampler",
            "inputs": {"seed": "{seed}", "steps": "{steps:4}", "cfg": "{cfg_scale}", "model": ["4", 0]},
        },
        "5": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": "{width:768}", "height": "{height:768}", "batch_size": "{n}"},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "photo, {prompt}, best quality"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "{negative_prompt:blurry}"}},
        "9": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}},
    }
)
CHANGING = freeze_object({**WORKFLOW, "10": {"class_type": "LoadImage", "inputs": {"image": "{image}"}}})


def inputs(server: ComfyUi, node: str) -> dict[str, object]:
    return server.queued[-1]["prompt"][node]["inputs"]  # type: ignore[index,no-any-return]


async def test_a_request_fills_the_places() -> None:
    """What a request says goes before what the workflow says, and numbers stay numbers."""
    async with ComfyUi() as server, painter(server.root, Api.COMFYUI, workflow=WORKFLOW) as target:
        answer = await drawn(target, wanted(n=2, size="640x448", steps=12, seed=7))
        assert inputs(server, "3") == {"seed": 7, "steps": 12, "cfg": 7.0, "model": ["4", 0]}
        assert inputs(server, "5") == {"width": 640, "height": 448, "batch_size": 2}
        assert inputs(server, "6") == {"text": "photo, A harbour, best quality"}
        assert inputs(server, "7") == {"text": "blurry"}
        pictures = [base64.b64decode(delta.base64) for delta in answer if isinstance(delta, Picture)]
        assert pictures == [png(shade=0), png(shade=1)]
        assert isinstance(answer[-1], UsageReport)
        assert server.told == [("/history", {"delete": ["work-1"]})]


async def test_a_request_that_says_nothing_takes_the_workflows_values() -> None:
    """Without a seed each request gets another one."""
    async with ComfyUi() as server, painter(server.root, Api.COMFYUI, workflow=WORKFLOW) as target:
        await drawn(target, wanted())
        first = inputs(server, "3")["seed"]
        assert inputs(server, "5") == {"width": 768, "height": 768, "batch_size": 1}
        assert inputs(server, "3")["steps"] == 4
        await drawn(target, wanted())
        assert inputs(server, "3")["seed"] != first


async def test_a_prompt_is_a_text_whatever_it_says() -> None:
    """Words that look like places or JSON change no other node."""
    prompt = '"}, {steps:99} {negative_prompt} \\ {"class_type": "x"}'
    async with ComfyUi() as server, painter(server.root, Api.COMFYUI, workflow=WORKFLOW) as target:
        await drawn(target, wanted(prompt=prompt))
        assert inputs(server, "6") == {"text": f"photo, {prompt}, best quality"}
        assert server.queued[-1]["prompt"].keys() == WORKFLOW.keys()  # type: ignore[attr-defined]


async def test_a_picture_is_handed_in() -> None:
    """It lies among the temporary files, under a name of ours, and the workflow is told where."""
    async with ComfyUi() as server, painter(server.root, Api.COMFYUI, workflow=CHANGING) as target:
        await drawn(target, wanted(MediaWork.EDITS, image=PICTURE))
        [form] = server.uploads
        assert form["image"] == [("image.png", png())]
        assert form["type"] == ["temp"]
        assert inputs(server, "10") == {"image": f"{form['subfolder'][0]}/image.png [temp]"}


async def test_a_workflow_that_wants_a_picture_is_not_run_without_one() -> None:
    """The error says what is missing, and nothing is queued."""
    async with ComfyUi() as server, painter(server.root, Api.COMFYUI, workflow=CHANGING) as target:
        with pytest.raises(TargetError, match="'image'"):
            await drawn(target, wanted())
        assert not server.queued


async def test_a_workflow_that_fails_is_an_error() -> None:
    """ComfyUI's own words, which could be anybody's, stay in its log; nothing of the request stays in its history."""
    async with ComfyUi(fails=True) as server, painter(server.root, Api.COMFYUI, workflow=WORKFLOW) as target:
        with pytest.raises(TargetError, match="failed"):
            await drawn(target, wanted())
        assert server.told == [("/history", {"delete": ["work-1"]})]


async def test_a_client_that_goes_away_stops_the_work() -> None:
    """Work that nobody waits for is taken out of the queue, stopped and forgotten."""
    async with ComfyUi(looks=10_000) as server, painter(server.root, Api.COMFYUI, workflow=WORKFLOW) as target:
        work = asyncio.create_task(drawn(target, wanted()))
        await server.looked.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert [path for path, _ in server.told] == ["/queue", "/interrupt", "/history"]
        assert server.told[1] == ("/interrupt", {"prompt_id": "work-1"})
