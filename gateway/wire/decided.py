"""What an error's body tells about the decision, beside its dialect's own fields. Pure.

Kinds of things alone: `id.national`, `doubt.image`, `tag.health`. Never a text, or where it stands.
"""

from typing import Any

from gateway.core.errors import AduanaError


def decision_fields(error: AduanaError) -> dict[str, Any]:
    """Return `{"aduana": {…}}` where the request had been decided on, else nothing."""
    route = error.route
    if route is None:
        return {}
    told = {
        "decision": route.decision,
        "label": route.label.word,
        "rule": route.rule,
        "categories": [reason.partition("=")[0] for reason in route.reasons if "=" in reason],
        "reasons": list(route.reasons),
    }
    return {"aduana": told}
