"""Several observers as one, none of which can harm a request."""

from collections.abc import Callable, Mapping

from gateway.core.events import Event
from gateway.pipeline.ports import Observer

_Told = tuple[tuple[str, Callable[[Event], None]], ...]


class Fanout:
    """Several observers as one. An observer that fails is reported once and then left out; the request goes on.

    An observer with an attribute `hears` is told of events of these kinds alone; of each by the function that stands
    under its kind, where that is a mapping.
    """

    def __init__(self, observers: Mapping[str, Observer], failed: Callable[[str, Exception], None]) -> None:
        self._observers = dict(observers)
        self._failed = failed
        self._told: dict[type, _Told] = {}  # kind of event → whom it is told

    def add(self, name: str, observer: Observer) -> None:
        """Add one more observer."""
        self._observers[name] = observer
        self._told.clear()

    def on(self, event: Event) -> None:
        """Tell every observer of an event."""
        told = self._told.get(type(event))
        if told is None:
            told = self._told[type(event)] = self._hearing(type(event))
        for name, on in told:
            try:
                on(event)
            except Exception as error:  # noqa: BLE001 - watching must never break what is watched
                self._observers.pop(name, None)
                self._told.clear()
                self._failed(name, error)

    def _hearing(self, kind: type) -> _Told:
        told: list[tuple[str, Callable[[Event], None]]] = []
        for name, observer in self._observers.items():
            heard = getattr(observer, "hears", (kind,))
            if kind in heard:
                told.append((name, heard[kind] if isinstance(heard, Mapping) else observer.on))
        return tuple(told)
