"""The last requests, as the pipeline tells of them. Bounded, in memory; it stands also while the ledger does not."""

import msgspec

from gateway.core.events import Decided, Event, Settled, ViolationStopped
from gateway.core.record import Receipt, Settlement

_REMEMBERED = 60


class LiveRequest(msgspec.Struct, kw_only=True):
    """One request that is remembered."""

    receipt: Receipt
    reason: str
    settlement: Settlement | None = None


class LiveRequests:
    """Observer that remembers the last requests and counts violations. `on` hears events on the loop."""

    hears = (Decided, Settled, ViolationStopped)

    def __init__(self) -> None:
        self._entries: dict[str, LiveRequest] = {}
        self.violations = 0

    def on(self, event: Event) -> None:
        """Remember decisions and how they ended."""
        match event:
            case Decided():
                self._entries[event.receipt.request_id] = LiveRequest(receipt=event.receipt, reason=event.reason)
                self._forget()
            case Settled():
                entry = self._entries.get(event.receipt.request_id)
                if entry is not None:
                    entry.settlement = event.settlement
            case ViolationStopped():
                self.violations += 1
            case _:
                pass

    def newest(self) -> list[LiveRequest]:
        """Return the remembered requests, the newest first."""
        return list(self._entries.values())[::-1]

    def _forget(self) -> None:
        """Forget the oldest finished request first; running ones stay as long as there is room at all."""
        while len(self._entries) > _REMEMBERED:
            oldest = next((name for name, entry in self._entries.items() if entry.settlement is not None), None)
            if oldest is None and len(self._entries) <= 10 * _REMEMBERED:
                return
            self._entries.pop(oldest if oldest is not None else next(iter(self._entries)))
