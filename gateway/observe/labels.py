"""Label values. INVARIANT: a label is a word of the configuration or of an enum, never what a client sent."""

import re
from collections.abc import Mapping

from gateway.core.target import Catalog

OTHER = "other"
NONE = "none"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+ -]{0,99}")


def model_names(catalog: Catalog) -> dict[str, str]:
    """Return the `model` label of each target: what the target calls its model; of a file, its name without folder."""
    return {name: model_name(info.model) for name, info in catalog.targets.items()}


def model_name(model: str) -> str:
    """Return `qwen3-32b` for `/models/qwen3-32b.gguf`; other names as they are (`openai/gpt-5.4` keeps its slash)."""
    if model.endswith(".gguf"):
        model = model.rsplit("/", 1)[-1].removesuffix(".gguf")
    return model if _WORD.fullmatch(model) else OTHER


def lookup(names: Mapping[str, str], key: str | None) -> str:
    """Return the label for a key of a mapping; `none` for None, `other` for what is not in it."""
    return NONE if key is None else names.get(key, OTHER)
