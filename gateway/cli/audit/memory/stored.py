"""Stored responses: what was told in private, continued by an id alone, of which no text tells what it stands for."""

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.cli.audit.cases import AuditCase, Numbers, remembered
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.planted.places import Body, Place
from gateway.cli.audit.planted.tags import PRIVATE, Headers
from gateway.cli.audit.recorder import SHORT
from gateway.cli.audit.stories import line

_PATH = "/v1/responses"
_TELLING = "memory: the telling"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a later request's body that stand for something private, by how they name it; and the tellings."""

    fields: dict[str, Body]
    told: list[Result]


def keep(asking: AuditClient, numbers: Numbers) -> Kept:
    """Tell in private, in every way that leaves something to be continued."""
    told: list[Result] = []

    def tell(path: str, fields: Body, headers: Headers = ()) -> Any:
        marker = numbers.marker()
        text = line(marker) if headers else "Vale."
        body = {"model": "auto", "input": f"{marker} {text}", "max_output_tokens": SHORT, **fields}
        case = remembered(_TELLING, path, Place(path=path, body=lambda *_: body), marker, "", headers=headers)
        result, answer = asking.answered(case)
        told.append(result)
        return answer

    first = tell(_PATH, {}, PRIVATE)
    second = tell(_PATH, {"previous_response_id": first.get("id")})
    item = {"type": "message", "role": "user", "content": line(numbers.marker())}
    made = _conversation(asking, item)
    tell(_PATH, {"conversation": made})
    compacted = tell(f"{_PATH}/compact", {}, PRIVATE)
    summary = [one for one in compacted.get("output", ()) if one.get("type") == "compaction"]
    reference = {"type": "item_reference", "id": _first_id(first)}
    return Kept(
        fields={
            "a response by its id": {"previous_response_id": first.get("id")},
            "a response that continued it": {"previous_response_id": second.get("id")},
            "a conversation by its id": {"conversation": made},
            "an item of an answer by its id": {"input": [reference]},
            "a summary that only the gateway reads": {"input": summary},
        },
        told=told,
    )


def continued(group: str, kept: Kept, numbers: Numbers) -> Iterator[AuditCase]:
    """Yield requests without the tag that continue what was told."""
    for name, fields in kept.fields.items():
        marker = numbers.marker()
        more = {"role": "user", "content": f"{marker} Go on."}
        body = {"model": "auto", **fields, "input": [*fields.get("input", ()), more]}
        yield remembered(group, name, Place(path=_PATH, body=lambda *_, body=body: body), marker, "")


def _conversation(asking: AuditClient, item: Body) -> str:
    place = Place(path="/v1/conversations", body=lambda *_: {"items": [item]})
    _, answer = asking.answered(remembered(_TELLING, "a conversation", place, "", "", headers=PRIVATE))
    return str(answer.get("id"))


def _first_id(answer: Any) -> str:
    return next((str(one.get("id")) for one in answer.get("output", ())), "none")
