"""Which page of a list a client wants: `order`, `limit` and `after` of the query, as OpenAI has them."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from gateway.core.errors import BadRequest
from gateway.wire.encoding import encode_json

_DEFAULT = 20
_MOST = 100
_DIGITS = 9


def wanted_page(http: web.Request, *, most: int = _MOST) -> tuple[str, int, str | None]:
    """Return the order (`asc` or `desc`), the limit, and the id behind which the page begins.

    Raises:
        BadRequest: One of them is not as it must be.
    """
    order = http.query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise BadRequest("'order': must be one of asc, desc.", param="order", code="invalid_value")
    given = http.query.get("limit") or str(_DEFAULT)
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS or not 1 <= int(given) <= most:
        raise BadRequest(f"'limit': must be between 1 and {most}.", param="limit", code="invalid_value")
    return order, int(given), http.query.get("after") or None


def listed(objects: Sequence[Mapping[str, object]], limit: int, after: str | None) -> bytes:
    """Encode a page of objects in their order: those behind the one with the id `after`.

    Raises:
        BadRequest: There is none with this id.
    """
    start = 0
    if after is not None:
        start = next((number for number, one in enumerate(objects, 1) if one["id"] == after), 0)
        if not start:
            raise BadRequest("'after': there is nothing with this id.", param="after", code="invalid_value")
    page = objects[start : start + limit]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    more = start + limit < len(objects)
    return encode_json({"object": "list", "data": page, "first_id": first, "last_id": last, "has_more": more})
