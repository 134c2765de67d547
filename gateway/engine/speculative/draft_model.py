"""Draft model of speculative decoding: a small model that drafts what the large one will say. Greedy; own KV memory."""

from array import array
from collections.abc import Mapping, Sequence

from gateway.engine.llama.faults import EngineFault, LoadFault
from gateway.engine.llama.model import Model
from gateway.engine.llama.vocabulary import Vocabulary, difference
from gateway.engine.scheduler.slots import common_prefix
from gateway.engine.scheduler.step import Row
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.speculator import DraftRequest

# Everything else (positions, splits, adapters) belongs to the large model.
_SHARED = (
    "context", "slots", "batch", "micro_batch", "threads_batch", "gpu_layers", "flash_attention", "kv_type_k",
    "kv_type_v", "kv_offload", "op_offload", "mmap", "direct_io", "mlock", "repack", "swa_full",
)  # fmt: skip


class DraftModel:
    """Small model that reads along with the sequences of the large one, in slots of the same numbers."""

    def __init__(self, settings: EngineSettings, threads: int, vocabulary: Vocabulary) -> None:
        """Load the small model. `vocabulary` is that of the large one.

        Raises:
            LoadFault: it can't be loaded, or has other tokens.
        """
        own = EngineSettings(model=settings.draft_model, **{name: getattr(settings, name) for name in _SHARED})
        try:
            self.model = Model(own, threads)
        except LoadFault as error:
            raise LoadFault(f"The draft model: {error}", public="Its draft model can't be loaded.") from error
        problem = difference(vocabulary, self.model.vocabulary)
        if problem or not self.model.generates:
            self.model.close()
            raise LoadFault(
                f"{settings.draft_model} can't draft for {settings.model}: {problem or 'it does not generate text'}. A "
                "draft model must have the same vocabulary: take a small model of the same family, or remove 'draft'.",
                public="Its draft model does not fit to it.",
            )
        self._most = min(settings.batch, 512)
        self._size = min(vocabulary.size, self.model.vocabulary.size)
        self._held = [array("i") for _ in range(settings.slots)]

    def set_threads(self, threads: int) -> None:
        """Set the number of CPU threads for the next steps."""
        self.model.set_threads(threads)

    def propose(self, draft_requests: Sequence[DraftRequest]) -> Mapping[int, Sequence[int]]:
        """Return slot → draft tokens.

        Nothing for sequences that it must read more of first: that goes on with each call.
        """
        try:
            return self._propose(sorted(draft_requests, key=lambda draft_request: draft_request.slot))
        except EngineFault:  # draft tokens are only a help: without them answers are the same
            self._held = [array("i") for _ in self._held]
            for slot in range(len(self._held)):
                self.model.trim(slot, 0)
            return {}

    def _propose(self, draft_requests: list[DraftRequest]) -> dict[int, list[int]]:
        rows = self._read(draft_requests)
        drafts: dict[int, list[int]] = {}
        wanted = {draft_request.slot: draft_request.most for draft_request in draft_requests}
        while rows:
            likeliest = self.model.decode(rows).argmax(axis=1).tolist()
            next_rows = []
            for row, token in zip(rows, likeliest, strict=True):
                self._held[row.slot].extend(row.tokens)
                if token >= self._size:
                    continue
                draft = drafts.setdefault(row.slot, [])
                draft.append(token)
                position = row.position + len(row.tokens)
                if len(draft) < wanted[row.slot] and position < self.model.context:
                    next_rows.append(Row(slot=row.slot, position=position, tokens=(token,), outputs=1))
            rows = next_rows
        return drafts

    def _read(self, draft_requests: list[DraftRequest]) -> list[Row]:
        """Bring its KV memory up to the sequences: drop what they don't say any more, read what is new.

        Returns the last row of each sequence that it has caught up with: computing those gives the first draft tokens.
        """
        rows = []
        room = self._most
        for draft_request in draft_requests:
            slot, tokens = draft_request.slot, draft_request.tokens
            held = min(common_prefix(self._held[slot], tokens), len(tokens) - 1)
            if held < len(self._held[slot]):
                if not self.model.trim(slot, held):
                    held = 0
                    self.model.trim(slot, 0)
                del self._held[slot][held:]
            missing = len(tokens) - held
            if missing <= room:
                room -= missing
                rows.append(Row(slot=slot, position=held, tokens=tokens[held:], outputs=1))
            elif room == self._most:
                part = tokens[held : held + room]
                self.model.decode([Row(slot=slot, position=held, tokens=part)])
                self._held[slot].extend(part)
                room = 0
        return rows

    def close(self) -> None:
        """Give the memory back."""
        self.model.close()
