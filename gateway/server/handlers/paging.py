"""Which page of a list a client wants: `order`, `limit` and `after` of the query, as OpenAI has them."""

from aiohttp import web

from gateway.core.errors import BadRequest

_DEFAULT = 20
_MOST = 100
_DIGITS = 9


def wanted_page(http: web.Request) -> tuple[str, int, str | None]:
    """Return the order (`asc` or `desc`), the limit, and the id behind which the page begins.

    Raises:
        BadRequest: One of them is not as it must be.
    """
    order = http.query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise BadRequest("'order': must be one of asc, desc.", param="order", code="invalid_value")
    given = http.query.get("limit") or str(_DEFAULT)
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS or not 1 <= int(given) <= _MOST:
        raise BadRequest(f"'limit': must be between 1 and {_MOST}.", param="limit", code="invalid_value")
    return order, int(given), http.query.get("after") or None
