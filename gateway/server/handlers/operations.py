"""Endpoints for people and machines that watch the gateway: health, readiness, metrics."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from aiohttp import web

from gateway.core.errors import AduanaError, Forbidden, Unauthorized
from gateway.server.auth import HostGuard, KeyRing


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the default target can answer, and what an operator should know."""

    ready: bool
    details: Mapping[str, object]
    failed: bool = False  # not ready, and not because something is still being loaded


class Operations:
    """Handlers for those who watch the gateway. They tell nothing of requests' content or callers' secrets."""

    def __init__(
        self,
        *,
        host_guard: HostGuard,
        keys: KeyRing | None,
        metrics_keys: KeyRing | None,
        readiness: Callable[[], Readiness],
        metrics: Callable[[], Awaitable[bytes]],
    ) -> None:
        """Keep the parts.

        Args:
            host_guard: Refuses other people's hosts and web pages.
            keys: The details of readiness want one of them. None: they are open.
            metrics_keys: The metrics want one of them that may read metrics, or is an administrator's; they are open
                as long as there are none. None: they are open.
            readiness: Tells whether the gateway can answer.
            metrics: Returns all metrics in Prometheus' text format.
        """
        self._host_guard = host_guard
        self._keys = keys
        self._metrics_keys = metrics_keys
        self._readiness = readiness
        self._metrics = metrics

    @property
    def readiness(self) -> Callable[[], Readiness]:
        """Return the function that tells whether the gateway can answer."""
        return self._readiness

    async def healthz(self, _: web.Request) -> web.Response:
        """Answer GET /healthz: the event loop is alive."""
        return web.Response(text="ok\n")

    async def readyz(self, http: web.Request) -> web.Response:
        """Answer GET /readyz with 200 only when the default target can answer.

        A foreign host's name or page, and beyond loopback whoever has no key, learns no more than that: a cluster's
        probes ask by an address that nobody can list.
        """
        readiness = self._readiness()
        details = readiness.details if self._trusted(http) else {}
        body = {"ready": readiness.ready, **details}
        return web.Response(
            body=msgspec.json.encode(body), status=200 if readiness.ready else 503, content_type="application/json"
        )

    async def metrics(self, http: web.Request) -> web.Response:
        """Answer GET /metrics.

        Raises:
            Unauthorized: A key is needed, and there is none or a wrong one.
            Forbidden: The key may not read metrics.
        """
        self._host_guard.check(http)
        if self._metrics_keys is not None and (self._metrics_keys.any or not self._metrics_keys.open):
            caller = self._metrics_keys.holder(http.headers.get("Authorization", ""))
            if caller is None:
                raise Unauthorized(
                    "The metrics need an API key with 'metrics: true' here: send it as 'Authorization: Bearer …'."
                )
            if not (caller.metrics or caller.admin):
                raise Forbidden("This needs a key with 'metrics: true' or 'admin: true'.", code="metrics_only")
        body = await self._metrics()
        return web.Response(
            body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Cache-Control": "no-store"}
        )

    def _trusted(self, http: web.Request) -> bool:
        """Return whether whoever asks may see what an operator sees."""
        try:
            self._host_guard.check(http)
        except AduanaError:
            return False
        return self._keys is None or self._keys.accepts(http.headers.get("Authorization", ""))
