"""Fields of messages that OpenAI's API does not have, and that carry what a provider has beside it.

Thoughts that a provider signed or sealed stand in `reasoning_details`, as OpenRouter's API has them. Each has a
`format` that says whose it is: a provider wants its own back in the next turn, word for word, and no other can read
them. What else Anthropic's API alone has stands in fields of its own, from targets to clients that speak it.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.document import JsonObject

ANTHROPIC = "anthropic-claude-v1"
RESPONSES = "openai-responses-v1"
FIELD = "reasoning_details"
BLOCKS = "anthropic_content"
"""Whole blocks of other kinds than text, thoughts and calls."""
DELTAS = "anthropic_deltas"
"""Pieces of the text before, such as citations."""
NATIVE = "anthropic_native"
"""What a request of Anthropic's dialect says in words of its own: in the whole document, in parts, calls and tools."""

# INVARIANT: nothing that runs a script, writes a file on that machine or changes what it has loaded for others.
OF_A1111 = frozenset(
    {
        "negative_prompt", "steps", "cfg_scale", "image_cfg_scale", "distilled_cfg_scale", "seed", "subseed",
        "subseed_strength", "seed_resize_from_h", "seed_resize_from_w", "sampler_name", "sampler_index", "scheduler",
        "denoising_strength", "clip_skip", "enable_hr", "hr_scale", "hr_upscaler", "hr_second_pass_steps",
        "hr_resize_x", "hr_resize_y", "hr_sampler_name", "hr_scheduler", "hr_prompt", "hr_negative_prompt",
        "restore_faces", "tiling", "styles", "eta", "s_churn", "s_tmax", "s_tmin", "s_noise", "s_min_uncond",
        "refiner_switch_at", "resize_mode", "mask_blur", "mask_blur_x", "mask_blur_y", "mask_round", "inpainting_fill",
        "inpaint_full_res", "inpaint_full_res_padding", "inpainting_mask_invert", "initial_noise_multiplier",
    }
)  # fmt: skip
"""What AUTOMATIC1111's API says of a picture beside what OpenAI has words for."""


def signed(text: str, signature: str, index: int) -> dict[str, Any]:
    """Return a thought in plain words that Anthropic signed."""
    return {
        "type": "reasoning.text",
        "text": text,
        "signature": signature,
        "format": ANTHROPIC,
        "index": index,
    }


def sealed(data: str, form: str, index: int, **fields: str) -> dict[str, Any]:
    """Return a thought that only its provider can read."""
    return {"type": "reasoning.encrypted", "data": data, "format": form, "index": index, **fields}


def details_of(holder: JsonObject, form: str) -> tuple[JsonObject, ...]:
    """Return the signed and sealed thoughts of one provider that a message, or the fields of an answer, have."""
    given = holder.get(FIELD)
    return tuple(
        [
            detail
            for detail in (given if isinstance(given, tuple) else ())
            if isinstance(detail, Mapping) and detail.get("format") == form
        ]
    )
