"""Models that can't answer, or not well, as they are configured. The gateway starts all the same, for other targets.

Reads the heads of model files and measures the machine; loads nothing.
"""

from collections.abc import Iterator
from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.engine.llama.gguf import Header, read_header
from gateway.engine.llama.memory import total_memory
from gateway.engine.llama.nvidia import nvidia_cards
from gateway.local.embedded.models.plan import ModelPlan
from gateway.local.embedded.settings import EmbeddedSettings


def model_warnings(plan: ModelPlan) -> Iterator[str]:
    """Explain in sentences which embedded models can't be loaded, or are to do what they can't."""
    for name, room in plan.settings.items():
        yield from _broken_files(name, room)
        try:
            header = read_header(Path(room.model))
        except ConfigurationError:
            continue
        yield from _window(name, room, header)
    yield from _memory(plan)


def _broken_files(name: str, room: EmbeddedSettings) -> Iterator[str]:
    files = [("model", room.model), ("draft.model", room.draft_model), ("mmproj", room.mmproj)]
    files += [("lora", path) for path, _ in room.lora]
    for field, path in files:
        if not path:
            continue
        try:
            header = read_header(Path(path))
        except ConfigurationError as error:
            yield from (f"targets.{name}.{field}: {problem}" for problem in error.problems)
            continue
        if field == "model" and header.head_only:
            yield f"targets.{name}.model: {path} holds a draft head alone: name the model's own file."


def _window(name: str, room: EmbeddedSettings, header: Header) -> Iterator[str]:
    trained = header.count("context_length")
    scaled = room.rope_scaling not in ("model", "none") or room.rope_freq_base or room.rope_freq_scale
    if trained and room.context > trained and not scaled:
        yield (
            f"targets.{name}.context: the window of {room.context} tokens is larger than the {trained} that the model "
            f"was trained for, and what lies beyond makes no sense to it. Write 'context: {trained}' or 'auto', or say "
            "how its positions are scaled ('rope_scaling')."
        )


def _memory(plan: ModelPlan) -> Iterator[str]:
    """Compare what models need with what the whole machine has, whoever uses it now."""
    ram = total_memory()
    cards = nvidia_cards().cards
    gpu = sum(card.total for card in cards if card.total) or None
    for name, room in plan.settings.items():
        need = plan.footprints[name]
        # Mapped weights can be read from the disk again and again; the rest stays in RAM.
        resident = max(0, need.total - need.gpu - (need.weights if room.mmap else 0))
        for wanted, there, where in ((resident, ram, "RAM"), (need.gpu, gpu, "memory on its cards")):
            if there is not None and wanted > there:
                yield (
                    f"targets.{name}: its model needs {wanted / 1e9:.1f} GB of {where} ({need.cache / 1e9:.1f} of it "
                    f"for {room.slots} windows of {room.context} tokens), and this machine has {there / 1e9:.1f} GB. "
                    "Turn down 'context', 'slots' or 'gpu_layers', write 'kv_type: q8_0', or take a smaller model."
                )
