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
# Architectures with a running state that llama.cpp can take back by a few tokens, as far as that was run.
_TAKE_BACK = frozenset({"lfm2", "qwen35", "qwen35moe"})
_SNAPSHOTS = 3  # tokens that a running state is taken back by; each costs as much memory as the state itself
_CHEAP = 64 * 2**20  # bytes of snapshots, for all slots, that a model without a draft head may take


class DraftPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Decision how a model is loaded for draft tokens.

    `head`: with the draft head that is in its file. `take_back`: tokens at the end of a step by which its running state
    can be taken back [n_rs_seq]. `unused`: why a head that is in the file is not used, as a sentence; empty: it is
    used, or there is none.
    """

    head: bool = False
    take_back: int = 0
    unused: str = ""


NO_DRAFTS = DraftPlan()


def draft_plan(header: Header, settings: EngineSettings) -> DraftPlan:
    """Decide how a model is loaded for draft tokens."""
    unused = _unused(header, settings) if has_head(header) else ""
    head = has_head(header) and not unused
    return DraftPlan(head=head, take_back=_take_back(header, settings, head=head), unused=unused)


def has_head(header: Header) -> bool:
    """Say whether a draft head is in the file."""
    return header.heads > 0  # what the header says of layers holds also for files that were made without them


def _unused(header: Header, settings: EngineSettings) -> str:
    if not settings.draft_head:
        return "'draft: {head: off}' says so."
    if settings.draft_model:
        return "A draft model is named, which drafts instead."
    if header.architecture not in _HEADS:
        return f"Draft heads of the architecture {header.architecture} have not been tried."
    if header.heads != 1 or header.number("nextn_predict_layers") != 1:
        return "It has several layers, and those of one layer can be used."
    if has_running_state(header) and not _take_back(header, settings, head=True):
        return "Its running state can't be taken back with these settings."
    return ""


def _take_back(header: Header, settings: EngineSettings, *, head: bool) -> int:
    drafts = head or settings.draft_lookup or settings.draft_model
    if not drafts or header.architecture not in _TAKE_BACK or not has_running_state(header):
        return 0
    # INVARIANT: all snapshots come from one micro-batch, else llama.cpp aborts.
    count = min(_SNAPSHOTS, settings.draft_tokens, settings.micro_batch_size - 2)
    size = count * settings.slots * cache_shape(header, settings.kv_type_k, settings.kv_type_v).state
    return max(0, count) if head or size <= _CHEAP else 0
