"""Which page of a list a client wants, in the words of OpenAI (`after`) or of Anthropic (`after_id`, `before_id`)."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from gateway.core.errors import BadRequest
from gateway.wire.encoding import encode_json

_DEFAULT = 20
_MOST = 100
_MOST_OF_ANTHROPIC = 1000
_DIGITS = 9


def wanted_page(http: web.Request, *, most: int = _MOST) -> tuple[str, int, str | None]:
    """Return the order (`asc` or `desc`), the limit, and the id behind which the page begins.

    Raises:
        BadRequest: One of them is not as it must be.
    """
    order = http.query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise BadRequest("'order': must be one of asc, desc.", param="order", code="invalid_value")
    return order, _limit(http, most), http.query.get("after") or None


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


def anthropic_page(http: web.Request, objects: Sequence[Mapping[str, object]]) -> bytes:
    """Encode a page of objects in their order, as Anthropic has them: behind `after_id`, or before `before_id`.

    Raises:
        BadRequest: `limit` is not as it must be.
    """
    limit, names = _limit(http, _MOST_OF_ANTHROPIC), [one["id"] for one in objects]
    after, before = http.query.get("after_id"), http.query.get("before_id")
    start, end = 0, len(objects)
    if after:
        start = names.index(after) + 1 if after in names else end
    if before:
        end = names.index(before) if before in names else start
    page = objects[start : start + limit] if not before else objects[max(start, end - limit) : end]
    more = len(objects[start:end]) > len(page)
    ends = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
    return encode_json({"data": page, "has_more": more, **ends})


def _limit(http: web.Request, most: int) -> int:
    given = http.query.get("limit") or str(_DEFAULT)
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS or not 1 <= int(given) <= most:
        raise BadRequest(f"'limit': must be between 1 and {most}.", param="limit", code="invalid_value")
    return int(given)
