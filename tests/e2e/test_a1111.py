"""AUTOMATIC1111's dialect through the whole gateway: its own client, and what Open WebUI and others send."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
import webuiapi
from PIL import Image

from tests.standins.gateway import RunningGateway
from tests.standins.pictures import ComfyUi, PictureServer, WebUi, png

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = """
policy: {policy}
keys:
  app: {{secret: "env:APP"}}
  other: {{secret: "env:OTHER"}}
targets:
  webui: {{kind: openai, zone: local, base_url: "{webui}", model: default, api: a1111, slots: 1}}
  comfy: {{kind: openai, zone: local, base_url: "{comfy}", model: any, api: comfyui, workflow: "{workflow}"}}
  studio:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: gpt-image-1,
      ceiling: public, endpoints: [images]}}
models:
  photon: {{targets: [webui]}}
  flow: {{targets: [comfy]}}
  away: {{targets: [studio]}}
unknown_model: null
"""
POLICY = """
version: 1
labels: {default: public, findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}}
otherwise: {prefer: [studio, comfy, webui]}
"""
WORKFLOW = '{"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{prompt}", "width": "{width}"}}}'
IBAN = "ES91 2100 0418 4502 0005 1332"
# What Open WebUI's `image_generations` sends to AUTOMATIC1111, and SillyTavern's extension; from their sources.
OPEN_WEBUI = {"prompt": "A harbour at noon", "batch_size": 1, "width": 512, "height": 512, "steps": 20}
SILLYTAVERN = {
    "prompt": "A harbour at noon", "negative_prompt": "fog", "sampler_name": "Euler a", "scheduler": "Automatic",
    "steps": 20, "cfg_scale": 7, "width": 512, "height": 512, "restore_faces": False, "enable_hr": False,
    "hr_upscaler": "Latent", "hr_scale": 1.5, "hr_additional_modules": [], "denoising_strength": 0.7,
    "hr_second_pass_steps": 0, "seed": None, "override_settings": {"CLIP_stop_at_last_layers": 1},
    "override_settings_restore_afterwards": True, "clip_skip": 1, "save_images": True, "send_images": True,
    "do_not_save_grid": False, "do_not_save_samples": False,
}  # fmt: skip


class Studio:
    """A running gateway and its servers."""

    def __init__(self, gateway: RunningGateway, webui: WebUi, comfy: ComfyUi, cloud: PictureServer) -> None:
        self.gateway = gateway
        self.webui = webui
        self.comfy = comfy
        self.cloud = cloud
        self.client = httpx2.AsyncClient(base_url=f"{gateway.url}/sdapi/v1", auth=("anybody", "app-secret"), timeout=60)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def studio(tmp_path_factory) -> AsyncIterator[Studio]:
    """Start a gateway with keys, two servers at home and a cloud."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "flow.json").write_text(WORKFLOW)
    async with WebUi() as webui, ComfyUi() as comfy, PictureServer() as cloud:
        config = CONFIG.format(
            policy=folder / "policy.yaml", workflow=folder / "flow.json", webui=webui.root, comfy=comfy.root,
            cloud=cloud.base_url,
        )  # fmt: skip
        env = {"STANDIN_KEY": "sk-standin", "APP": "app-secret", "OTHER": "other-secret"}
        async with RunningGateway(folder, config, env=env) as gateway:
            house = Studio(gateway, webui, comfy, cloud)
            async with house.client:
                yield house


async def test_its_own_client_draws(studio):
    """The client of AUTOMATIC1111's users gets pictures, with the target's words on how they were made."""
    host, port = studio.gateway.url.removeprefix("http://").rsplit(":", 1)

    def draw() -> None:
        api = webuiapi.WebUIApi(host=host, port=int(port), username="anybody", password="app-secret")
        result = api.txt2img(prompt="A harbour at noon", negative_prompt="fog", seed=7, steps=4, width=64, height=64)
        assert result.image.size == (1, 1)
        assert result.info["seed"] == 42
        assert result.parameters["width"] == 64
        changed = api.img2img(images=[result.image], prompt="By night", mask_image=result.image, steps=4)
        assert changed.image.size == (1, 1)
        assert api.util_get_model_names() == ["away", "flow", "photon"]
        assert api.util_get_current_model() == "photon"
        assert "Euler a" in api.util_get_sampler_names()
        assert "karras" in api.util_get_scheduler_names()
        api.util_wait_for_ready()

    await asyncio.to_thread(draw)
    drawn, changed = studio.webui.asked[-2:]
    assert (drawn["negative_prompt"], drawn["seed"], drawn["steps"]) == ("fog", 7, 4)
    assert changed["init_images"][0].startswith("data:image/png;base64,")
    assert not {"alwayson_scripts", "script_args", "override_settings"} & drawn.keys()


@pytest.mark.parametrize("body", [OPEN_WEBUI, SILLYTAVERN])
async def test_what_apps_send(studio, body):
    """Bodies of apps are answered; what is left out of them is said."""
    answer = await studio.client.post("/txt2img", json=body)
    assert answer.status_code == 200
    assert answer.json()["images"]
    assert studio.webui.asked[-1]["steps"] == 20
    dropped = answer.headers.get("x-aduana-dropped", "")
    assert ("override_settings" in dropped) is (body is SILLYTAVERN)


async def test_progress_is_for_whoever_waits(studio):
    """While a picture is made its key sees how far it is, by the target's word; another key sees nothing."""
    studio.webui.gate = asyncio.Event()
    work = asyncio.create_task(studio.client.post("/txt2img", json=OPEN_WEBUI))
    try:
        async with asyncio.timeout(30):
            while (seen := (await studio.client.get("/progress")).json())["progress"] != 0.25:  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # another process's work
        assert seen["state"]["job_count"] == 1
        assert seen["eta_relative"] > 0
        page = await studio.client.get(studio.gateway.url + "/")
        assert "running, 25" in page.text  # per cent
        others = await studio.client.get("/progress", auth=("anybody", "other-secret"))
        assert (others.json()["progress"], others.json()["state"]["job_count"]) == (0.0, 0)
    finally:
        studio.webui.gate.set()
        studio.webui.gate = None
    assert (await work).status_code == 200
    assert (await studio.client.get("/progress")).json()["progress"] == 0.0


async def test_a_named_model_and_what_may_leave(studio):
    """A cloud gets the words that it knows, and never an account number; the answer says what it was not told."""
    away = {"override_settings": {"sd_model_checkpoint": "away"}}
    answer = await studio.client.post("/txt2img", json=SILLYTAVERN | away)
    assert answer.headers["x-aduana-zone"] == "cloud"
    assert "negative_prompt" in answer.headers["x-aduana-dropped"]
    assert b"fog" not in studio.cloud.bodies[-1]
    before = len(studio.cloud.bodies)
    refused = await studio.client.post("/txt2img", json={"prompt": f"A letter that says {IBAN}", **away})
    assert refused.status_code == 403
    assert refused.json().keys() == {"error", "detail", "errors", "code", "aduana"}
    kept = await studio.client.post("/img2img", json={"prompt": "By night", "init_images": [_picture()], **away})
    assert kept.status_code == 403
    assert len(studio.cloud.bodies) == before


async def test_a_workflow_draws_for_it_too(studio):
    """A model by ComfyUI is one of its models."""
    flow = {"override_settings": {"sd_model_checkpoint": "flow"}}
    answer = await studio.client.post("/txt2img", json={"prompt": f"Pay to {IBAN}", "width": 640, **flow})
    assert answer.headers["x-aduana-target"] == "comfy"
    assert len(answer.json()["images"]) == 2
    assert studio.comfy.queued[-1]["prompt"]["6"]["inputs"] == {"text": f"Pay to {IBAN}", "width": 640}


async def test_what_can_not_be_used_is_refused(studio):
    """Wrong keys, unknown models, addresses as pictures and a change for everybody are errors in its shape."""
    for path, body, status in (
        ("/txt2img", {"prompt": "a", "override_settings": {"sd_model_checkpoint": "nobody"}}, 404),
        ("/txt2img", {"prompt": "a", "width": "wide"}, 400),
        ("/img2img", {"prompt": "a", "init_images": ["https://elsewhere.example/a.png"]}, 400),
        ("/options", {"sd_model_checkpoint": "flow"}, 400),
    ):
        answer = await studio.client.post(path, json=body)
        assert (answer.status_code, set(answer.json())) == (status, {"error", "detail", "errors", "code"})
    assert (await studio.client.get("/options", auth=("anybody", "wrong"))).status_code == 401


def _picture() -> str:
    picture = io.BytesIO()
    Image.open(io.BytesIO(png(8, 8))).convert("RGB").save(picture, "JPEG")
    return base64.b64encode(picture.getvalue()).decode()
