"""Several observers as one, none of which can harm a request."""

from collections.abc import Callable, Mapping

from gateway.core.events import Event
from gateway.pipeline.ports import Observer


class Fanout:
    """Several observers as one. An observer that fails is reported once and then left out; the request goes on."""

    def __init__(self, observers: Mapping[str, Observer], failed: Callable[[str, Exception], None]) -> None:
        self._observers = dict(observers)
        self._failed = failed

    def add(self, name: str, observer: Observer) -> None:
        """Add one more observer."""
        self._observers[name] = observer

    def on(self, event: Event) -> None:
        """Tell every observer of an event."""
        for name, observer in tuple(self._observers.items()):
            try:
                observer.on(event)
            except Exception as error:  # noqa: BLE001 - watching must never break what is watched
                del self._observers[name]
                self._failed(name, error)
