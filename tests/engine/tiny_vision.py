"""Small projectors with random weights that tests write themselves: one file that sees, one that hears. Format: GGUF 3.

Names of keys and tensors: llama.cpp, tools/mtmd/clip-impl.h. They fit the models of `tests.engine.tiny`.
"""

import io
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.engine.tiny import HEADS, INNER, WIDTH, Value, generator_of, write_generator, write_gguf

Floats = NDArray[np.float32]
MARKS = (
    "<start_of_image>",
    "<end_of_image>",
    "<fake_token_around_image>",
    "<global-img>",
    "<|vision_start|>",
    "<|vision_end|>",
    "\n\n",
    "\n",
)
SIDE, PATCH = 64, 8  # pixels
SEEN = {"gemma3": 16, "idefics3": 16}  # tokens of a whole picture (idefics3: of each part of it)
_BINS = 80  # of a spectrogram


def _some(draw: np.random.Generator, *shape: int, scale: float = 0.3) -> Floats:
    return draw.normal(0, scale, shape).astype(np.float32)


def _layer(draw: np.random.Generator, name: str, *, bias_of_keys: bool = True) -> dict[str, Floats]:
    tensors: dict[str, Floats] = {}
    for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
        tensors[f"{name}.{part}.weight"] = _some(draw, WIDTH, WIDTH)
        if bias_of_keys or part != "attn_k":
            tensors[f"{name}.{part}.bias"] = _some(draw, WIDTH)
    for part in ("ln1", "ln2"):
        tensors |= {f"{name}.{part}.weight": np.ones(WIDTH, np.float32), f"{name}.{part}.bias": _some(draw, WIDTH)}
    tensors |= {f"{name}.ffn_up.weight": _some(draw, INNER, WIDTH), f"{name}.ffn_up.bias": _some(draw, INNER)}
    return tensors | {f"{name}.ffn_down.weight": _some(draw, WIDTH, INNER), f"{name}.ffn_down.bias": _some(draw, WIDTH)}


def write_projector(path: Path, kind: str = "gemma3", *, width: int = WIDTH) -> Path:
    """A projector that sees. `kind`: gemma3 (one part, attended to as a whole), idefics3 (parts), qwen2vl (M-RoPE).

    `width`: of the text model that it is made for.
    """
    draw = np.random.default_rng(5)
    metadata: dict[str, Value] = {
        "general.architecture": "clip",
        "clip.has_vision_encoder": True,
        "clip.projector_type": {"qwen2vl": "qwen2vl_merger"}.get(kind, kind),
        "clip.use_gelu": True,
        "clip.vision.image_size": SIDE,
        "clip.vision.patch_size": PATCH,
        "clip.vision.embedding_length": WIDTH,
        "clip.vision.feed_forward_length": INNER,
        "clip.vision.block_count": 1,
        "clip.vision.projection_dim": width,
        "clip.vision.attention.head_count": HEADS,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
        "clip.vision.projector.scale_factor": 2,
    }
    tensors: dict[str, Floats] = {
        "v.patch_embd.weight": _some(draw, WIDTH, 3, PATCH, PATCH),
        "v.post_ln.weight": np.ones(WIDTH, np.float32),
        "v.post_ln.bias": _some(draw, WIDTH),
        **_layer(draw, "v.blk.0"),
    }
    match kind:
        case "gemma3":
            tensors["mm.input_projection.weight"] = _some(draw, WIDTH, width)
            tensors["mm.soft_emb_norm.weight"] = np.ones(WIDTH, np.float32)
        case "idefics3":
            metadata["clip.vision.preproc_image_size"] = 2 * SIDE
            tensors["mm.model.fc.weight"] = _some(draw, width, 4 * WIDTH)
        case "qwen2vl":
            tensors["v.patch_embd.weight.1"] = _some(draw, WIDTH, 3, PATCH, PATCH)
            tensors |= {"mm.0.weight": _some(draw, 4 * WIDTH, 4 * WIDTH), "mm.0.bias": _some(draw, 4 * WIDTH)}
            tensors |= {"mm.2.weight": _some(draw, width, 4 * WIDTH), "mm.2.bias": _some(draw, width)}
    if kind != "qwen2vl":
        tensors["v.patch_embd.bias"] = _some(draw, WIDTH)
        tensors["v.position_embd.weight"] = _some(draw, (SIDE // PATCH) ** 2, WIDTH)
    return write_gguf(path, metadata, tensors)


def write_ear(path: Path) -> Path:
    """A projector that hears, of Whisper's shape (`ultravox`)."""
    draw = np.random.default_rng(6)
    metadata: dict[str, Value] = {
        "general.architecture": "clip",
        "clip.has_audio_encoder": True,
        "clip.projector_type": "ultravox",
        "clip.audio.embedding_length": WIDTH,
        "clip.audio.feed_forward_length": INNER,
        "clip.audio.block_count": 1,
        "clip.audio.projection_dim": WIDTH,
        "clip.audio.attention.head_count": HEADS,
        "clip.audio.attention.layer_norm_epsilon": 1e-5,
        "clip.audio.num_mel_bins": _BINS,
        "clip.audio.projector.stack_factor": 32,
    }
    tensors: dict[str, Floats] = {
        "a.conv1d.1.weight": _some(draw, WIDTH, _BINS, 3),
        "a.conv1d.1.bias": _some(draw, WIDTH, 1),
        "a.conv1d.2.weight": _some(draw, WIDTH, WIDTH, 3),
        "a.conv1d.2.bias": _some(draw, WIDTH, 1),
        "a.position_embd.weight": _some(draw, 1500, WIDTH),
        "a.post_ln.weight": np.ones(WIDTH, np.float32),
        "a.post_ln.bias": _some(draw, WIDTH),
        "mm.a.norm_pre.weight": np.ones(32 * WIDTH, np.float32),
        "mm.a.mlp.1.weight": _some(draw, 2 * WIDTH, 32 * WIDTH, scale=0.05),
        "mm.a.norm_mid.weight": np.ones(WIDTH, np.float32),
        "mm.a.mlp.2.weight": _some(draw, WIDTH, WIDTH),
        **_layer(draw, "a.blk.0", bias_of_keys=False),
    }
    return write_gguf(path, metadata, tensors)


def write_seeing_generator(path: Path, *, rotates: bool = False) -> Path:
    """A model of random weights whose vocabulary has what projectors look for. `rotates`: as Qwen2-VL, by M-RoPE."""
    if not rotates:
        return write_generator(path, added=MARKS, window=2048)
    draw = np.random.default_rng(12)
    metadata, tensors = generator_of("qwen2vl", added=MARKS, window=2048)
    metadata["qwen2vl.rope.dimension_sections"] = [4, 2, 2, 0]
    tensors |= {f"blk.0.attn_{part}.bias": _some(draw, WIDTH) for part in "qkv"}
    return write_gguf(path, metadata, tensors)


def picture(seed: int, *, width: int = 60, height: int = 40, form: str = "PNG") -> bytes:
    """A picture of coloured noise, as a file."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, form)
    return file.getvalue()


def sound(seed: int, *, seconds: float = 1.0) -> bytes:
    """A WAV file of noise: 16,000 samples a second, 16 bits, one channel."""
    noise = np.random.default_rng(seed).integers(-3000, 3000, int(16_000 * seconds)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(noise.tobytes())
    return file.getvalue()
