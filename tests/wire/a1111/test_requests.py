"""Bodies of AUTOMATIC1111's clients become the document that is inspected; what would reach into a server stays out."""

import base64
import json

import pytest

from gateway.core.errors import BadRequest
from gateway.core.request import Media, MediaWork
from gateway.wire.a1111 import parse_pictures
from tests.standins.pictures import encoded, png

DOT = base64.b64encode(png()).decode()


def parse(work: MediaWork = MediaWork.GENERATIONS, **fields: object):  # type: ignore[no-untyped-def]
    return parse_pictures(work, json.dumps({"prompt": "A harbour", **fields}).encode(), "photon")


def test_its_fields_become_openais_where_that_has_words() -> None:
    """Size and number are OpenAI's; steps, seed and what is not wanted keep their names."""
    request = parse(width=640, height=448, batch_size=2, n_iter=3, steps=4, seed=7, negative_prompt="fog")
    assert dict(request.document) == {
        "model": "photon", "prompt": "A harbour", "n": 6, "size": "640x448", "steps": 4, "seed": 7,
        "negative_prompt": "fog",
    }  # fmt: skip
    assert (request.n, request.size, request.media) == (6, "640x448", frozenset())


def test_what_would_run_or_write_there_is_left_out_and_said() -> None:
    """Scripts, extensions and settings of the server are no part of the document, and harmless words are no news."""
    request = parse(
        alwayson_scripts={"controlnet": {"args": [{"image": DOT}]}}, script_name="custom code", save_images=True,
        override_settings={"sd_model_checkpoint": "other", "outdir_samples": "/etc"}, send_images=True,
    )  # fmt: skip
    assert dict(request.document) == {"model": "other", "prompt": "A harbour", "n": 1, "size": "512x512"}
    assert set(request.left_out) == {"alwayson_scripts", "script_name", "override_settings"}


@pytest.mark.parametrize("picture", [DOT, f"data:image/png;base64,{DOT}"])
def test_pictures_are_data_urls(picture: str) -> None:
    """However a client writes them."""
    request = parse(MediaWork.EDITS, init_images=[picture], mask=picture)
    assert request.document["image"] == request.document["mask"] == f"data:image/png;base64,{encoded()}"
    assert request.media == {Media.IMAGE}


@pytest.mark.parametrize(
    ("work", "fields"),
    [
        (MediaWork.GENERATIONS, {"width": 0}),
        (MediaWork.GENERATIONS, {"batch_size": 60, "n_iter": 60}),
        (MediaWork.GENERATIONS, {"prompt": ["a"]}),
        (MediaWork.GENERATIONS, {"override_settings": {"sd_model_checkpoint": "a\nb"}}),
        (MediaWork.EDITS, {}),
        (MediaWork.EDITS, {"init_images": ["http://elsewhere.example/a.png"]}),
        (MediaWork.EDITS, {"init_images": [DOT], "mask": "%%%"}),
    ],
)
def test_what_can_not_be_drawn_is_refused(work: MediaWork, fields: dict[str, object]) -> None:
    """Sizes and numbers out of range, and pictures that are none, are a clear error."""
    with pytest.raises(BadRequest):
        parse(work, **fields)
