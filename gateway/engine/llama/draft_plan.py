"""What a model's file and memory allow for draft tokens: a draft head of its own, tokens that can be taken back. Pure.

Source: llama.cpp, src/models/*.cpp (`graph_mtp`), llama-arch.cpp (`llm_arch_supports_rs_rollback`).
"""

import msgspec

from gateway.engine.llama.cache_size import cache_shape, has_running_state
from gateway.engine.llama.gguf import Header
from gateway.engine.settings import EngineSettings

# Architectures whose draft head (multi-token prediction, llama.cpp's "nextn" layers) was run; asked of any other, the
# library may abort.
_HEADS = frozenset({"deepseek2", "glm4moe", "qwen35", "qwen35moe"})
_READS_LAYERS = (
    "it reads the inputs of some of the model's layers, for which llama.cpp's Python bindings have no function"
)
# Heads that are always in a file of their own, and why they can't be used.
_OTHER_HEADS = {
    "dflash": _READS_LAYERS,
    "eagle3": _READS_LAYERS,
    "gemma4-assistant": "it shares the model's KV cache, and that has not been tried",
}
# Architectures with a running state that llama.cpp can take back by a few tokens, as far as that was run.
_TAKE_BACK = frozenset({"lfm2", "qwen35", "qwen35moe"})
_SNAPSHOTS = 3  # tokens that a running state is taken back by; each costs as much memory as the state itself
_CHEAP = 64 * 2**20  # bytes of snapshots, for all slots, that a model without a draft head may take
_DEAR = 1024 * 2**20  # and one with a head, if a single token can be taken back for less


class DraftPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Decision how a model is loaded for draft tokens.

    `head`: with a draft head, of its own file or of `file`. `take_back`: tokens at the end of a step by which its
    running state can be taken back [n_rs_seq]. `unused`: why a head that is in the file is not used, as a sentence;
    empty: it is used, or there is none. `problem`: why the model can't be loaded as it is configured, as sentences.
    """

    head: bool = False
    file: str = ""
    take_back: int = 0
    unused: str = ""
    problem: str = ""


NO_DRAFTS = DraftPlan()


def draft_plan(header: Header, settings: EngineSettings, named: Header | None = None) -> DraftPlan:
    """Decide how a model is loaded for draft tokens. `named`: the header of the draft model, where there is one."""
    unused = _unused(header, settings) if has_head(header) else ""
    if named is not None and (named.head_only or named.architecture in _OTHER_HEADS):
        head, file, problem = True, settings.draft_model, _misfit(header, settings, named)
    else:
        head, file, problem = has_head(header) and not unused, "", ""
    take_back = _take_back(header, settings, head=head)
    return DraftPlan(head=head and not problem, file=file, take_back=take_back, unused=unused, problem=problem)


def has_head(header: Header) -> bool:
    """Say whether a draft head is in the file."""
    return header.heads > 0  # what the header says of layers holds also for files that were made without them


def _misfit(header: Header, settings: EngineSettings, head: Header) -> str:
    """Explain why a draft head in a file of its own can't be used with a model. Empty: by the headers, it can."""
    if head.architecture in _OTHER_HEADS:
        why = f"it is a draft head of the kind {head.architecture}: {_OTHER_HEADS[head.architecture]}"
    elif head.architecture != header.architecture:
        why = f"it is the draft head of a {head.architecture}, and the model is a {header.architecture}"
    elif head.number("embedding_length") != header.number("embedding_length"):
        why = "it is the draft head of another model, whose rows are of another size"
    else:
        why = _unusable(header, settings, head)
    if not why:
        return ""
    return f"{settings.draft_model} can't draft for {settings.model}: {why}. Take the head of this model, or none."


def _unused(header: Header, settings: EngineSettings) -> str:
    if not settings.draft_head:
        return "'draft: {head: off}' says so."
    if settings.draft_model:
        return "A draft model is named, which drafts instead."
    why = _unusable(header, settings, header)
    return f"{why[0].upper()}{why[1:]}." if why else ""


def _unusable(header: Header, settings: EngineSettings, head: Header) -> str:
    """Explain why llama.cpp can't draft for a model by a head of its kind. Empty: it can."""
    if head.architecture not in _HEADS:
        return f"draft heads of the architecture {head.architecture} have not been tried"
    if head.heads != 1 or head.number("nextn_predict_layers") != 1:
        return "it has several layers, and those of one layer can be used"
    if head.architecture == "deepseek2" and not _is_latent(header):
        return "llama.cpp has none for attention of this form"
    if has_running_state(header) and not _take_back(header, settings, head=True):
        return "the model's running state can't be taken back with these settings"
    return ""


def _is_latent(header: Header) -> bool:
    """Say whether keys and values are compressed, and nothing else is done to them (llama.cpp aborts otherwise)."""
    scaled = header.metadata.get(f"{header.architecture}.attention.temperature_scale")
    return bool(header.number("attention.key_length_mla")) and not scaled


def _take_back(header: Header, settings: EngineSettings, *, head: bool) -> int:
    drafts = head or settings.draft_lookup or settings.draft_model
    if not drafts or header.architecture not in _TAKE_BACK or not has_running_state(header):
        return 0
    # INVARIANT: all snapshots come from one micro-batch, else llama.cpp aborts.
    most = max(0, min(_SNAPSHOTS, settings.draft_tokens, settings.micro_batch_size - 2))
    each = settings.slots * cache_shape(header, settings.kv_type_k, settings.kv_type_v).state
    if head:
        return max(min(most, 1), min(most, _DEAR // max(1, each)))
    return most if most * each <= _CHEAP else 0
