"""Drafts by a model's own draft head, which reads along with it: `gateway.engine.llama.draft_head`."""

from collections.abc import Mapping, Sequence

from gateway.engine.llama.draft_head import DraftHead
from gateway.engine.speculative.speculator import DraftRequest


class HeadProposer:
    """Draft head as a source of draft tokens."""

    def __init__(self, head: DraftHead) -> None:
        self._head = head

    def propose(self, draft_requests: Sequence[DraftRequest]) -> Mapping[int, Sequence[int]]:
        """Return slot → draft tokens; nothing for sequences that the head has not followed to their end."""
        known = [one for one in draft_requests if self._head.follows(one.slot, len(one.tokens) - 1)]
        return self._head.draft({one.slot: (one.tokens[-1], one.most) for one in known})

    def set_threads(self, threads: int) -> None:
        """Do nothing: the model sets the threads of its head together with its own."""
