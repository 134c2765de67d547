"""Rows of the gateway's own addresses: administration, health, metrics."""

from collections.abc import Iterator

from gateway.server.handlers.table.route import CHAT, Access, HttpRoute, Work


def gateway_rows() -> Iterator[HttpRoute]:
    """Yield the rows."""
    yield HttpRoute(
        method="POST", path="/admin/explain", handler=lambda its: its.openai.explain, work=Work.MEASURES,
        access=Access.ADMIN, summary="Explain the whole decision about a conversation; send it nowhere.", example=CHAT,
    )  # fmt: skip
    yield HttpRoute(
        method="GET", path="/admin/models", handler=lambda its: its.administration.list, work=Work.MANAGES,
        access=Access.ADMIN, summary="List the models on this machine and their memory.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/admin/models/{target}/load", handler=lambda its: its.administration.load,
        work=Work.MANAGES, access=Access.ADMIN, summary="Load a model, or start its server.",
    )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/admin/models/{target}/unload", handler=lambda its: its.administration.unload,
        work=Work.MANAGES, access=Access.ADMIN, summary="Give a model's memory back, or stop its server.",
    )  # fmt: skip
    for path, handler, access, summary in (
        ("/healthz", lambda its: its.operations.healthz, Access.OPEN, "Say that the gateway runs."),
        ("/readyz", lambda its: its.operations.readyz, Access.OPEN, "Say whether the default target can answer."),
        ("/metrics", lambda its: its.operations.metrics, Access.OWN, "Give all metrics in Prometheus' format."),
        ("/openapi.json", lambda its: its.description.read, Access.OPEN, "Describe the addresses that are served."),
    ):
        yield HttpRoute(method="GET", path=path, handler=handler, work=Work.WATCHES, access=access, summary=summary)
