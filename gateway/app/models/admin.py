"""The models on this machine as administrators see them: their memory, loading and unloading."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.local.managed.target import ManagedTarget
from gateway.local.models.pool import ModelPool
from gateway.local.speech.target import SpeechTarget
from gateway.server import ModelReport, ModelsReport, TemplateText

if TYPE_CHECKING:
    from gateway.local.embedded.target import EmbeddedTarget  # much to load where no model is embedded


class ModelAdmin:
    """An administrator's view of targets whose models are loaded here. Asks their owners; owns nothing."""

    def __init__(
        self,
        embedded: "Mapping[str, EmbeddedTarget]",
        managed: Mapping[str, ManagedTarget | SpeechTarget],
        pool: ModelPool,
    ) -> None:
        self._embedded = embedded
        self._targets: Mapping[str, EmbeddedTarget | ManagedTarget | SpeechTarget] = {**embedded, **managed}
        self._pool = pool

    def report(self) -> ModelsReport:
        """Report on every model and on the memory that they share."""
        limits = self._pool.limits
        residencies = [target.residency for target in self._targets.values()]
        taken = [residency.footprint for residency in residencies if residency.resident]
        return ModelsReport(
            models=tuple(_report(name, target, self._embedded.get(name)) for name, target in self._targets.items()),
            memory=limits.memory,
            gpu_memory=limits.gpu_memory,
            memory_used=sum(footprint.total for footprint in taken),
            gpu_memory_used=sum(footprint.gpu for footprint in taken),
        )

    def template(self, target: str) -> TemplateText:
        """Return a model's chat template; an empty one before the model was loaded, and for a server's."""
        template = self._embedded[target].template if target in self._embedded else None
        return (
            TemplateText()
            if template is None
            else TemplateText(source=template.source, bos=template.bos, eos=template.eos)
        )

    async def load(self, target: str, deadline: float) -> None:
        """Load a target's model; return when it can answer.

        Raises:
            TargetUnavailable: it can't be loaded, or not before `deadline` (seconds of the loop's clock).
        """
        await self._targets[target].load(deadline)

    async def unload(self, target: str) -> None:
        """Unload a target's model; return when its memory is back.

        Raises:
            TargetBusy: requests work with it or wait for it.
        """
        await self._targets[target].unload()

    def keep_alive(self, target: str, seconds: float | None) -> None:
        """Unload a target's model once it was idle for so long; None: not by itself. Other targets are left alone."""
        if target in self._targets:
            self._pool.keep_alive(target, seconds)


def _report(
    name: str, target: "EmbeddedTarget | ManagedTarget | SpeechTarget", embedded: "EmbeddedTarget | None"
) -> ModelReport:
    state, residency = target.state(), target.residency
    ready = embedded.ready if embedded is not None else None
    sequences = ready.sequences if ready is not None else None
    return ModelReport(
        target=name,
        model=target.info.model,
        state=_word(target),
        progress=state.loading,
        memory=residency.footprint.total,
        gpu_memory=residency.footprint.gpu,
        context=embedded.context if embedded is not None else target.info.context,
        slots=state.slots_total or 0,
        busy=residency.working,
        waiting=residency.waiting,
        load=target.starts,
        load_seconds=residency.load_seconds,
        idle_seconds=residency.idle_seconds,
        unloads_in=residency.unloads_in,
        gives_way=residency.evicts,
        problem=target.problem,
        sequences=sequences.kind if sequences is not None else None,
        checkpoint_bytes=sequences.checkpoint_bytes if sequences is not None else 0,
        drafts=ready is not None and ready.drafts,
        draft_head=ready.draft_head if ready is not None else "",
        thinks=embedded is not None and embedded.thinks,
    )


def _word(target: "EmbeddedTarget | ManagedTarget | SpeechTarget") -> str:
    state = target.state()
    if target.problem:
        return "failed"
    if target.residency.leaving:
        return "unloading"
    if state.loaded:
        return "loaded"
    return "unloaded" if state.loading is None else "loading"
