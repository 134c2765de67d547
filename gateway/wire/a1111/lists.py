"""Encode what AUTOMATIC1111's clients ask for before and while they draw: models, samplers, options, progress. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from gateway.wire.encoding import encode_json

_SAMPLERS = (
    "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 3M SDE", "Euler a", "Euler", "LMS", "Heun", "DPM2", "DPM2 a",
    "DPM++ 2S a", "DDIM", "UniPC", "LCM",
)  # fmt: skip
_SCHEDULERS = (
    "Automatic", "Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform", "Simple", "Normal", "DDIM",
    "Beta",
)  # fmt: skip
LISTS: Mapping[str, bytes] = MappingProxyType(
    {
        "samplers": encode_json([{"name": name, "aliases": [], "options": {}} for name in _SAMPLERS]),
        "schedulers": encode_json(
            [{"name": name.lower().replace(" ", "_"), "label": name, "aliases": None} for name in _SCHEDULERS]
        ),
        "upscalers": b"[]",
        "latent-upscale-modes": b"[]",
        "loras": b"[]",
        "sd-vae": b"[]",
        "embeddings": b'{"loaded":{},"skipped":{}}',
        "scripts": b'{"txt2img":[],"img2img":[]}',
    }
)
"""Answers that are the same for everybody, by their path's last word. A server that lacks a sampler takes its own."""


def models_body(names: Iterable[str]) -> bytes:
    """Encode the models that make pictures."""
    return encode_json(
        [
            {"title": name, "model_name": name, "hash": None, "sha256": None, "filename": name, "config": None}
            for name in names
        ]
    )


def options_body(model: str) -> bytes:
    """Encode the options: the model that a request without one gets."""
    return encode_json({"sd_model_checkpoint": model, "sd_checkpoint_hash": "", "samples_save": False})


def progress_body(share: float | None, remaining: float | None, works: int) -> bytes:
    """Encode how far a caller's work is.

    Args:
        share: How much of it is done, 0 to 1; None: nobody knows.
        remaining: Seconds that it still takes, as far as can be foreseen; None: nobody knows.
        works: How many pictures' requests run.
    """
    done = (share or 0.0) if works else 0.0
    state: dict[str, Any] = {
        "skipped": False,
        "interrupted": False,
        "job": "aduana" if works else "",
        "job_count": works,
        "job_timestamp": "0",
        "job_no": 0,
        "sampling_step": round(100 * done),
        "sampling_steps": 100 if works else 0,
    }
    return encode_json(
        {
            "progress": done,
            "eta_relative": remaining or 0.0,
            "state": state,
            "current_image": None,
            "textinfo": None,
        }
    )
