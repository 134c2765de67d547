"""The error for a request that a target's API has no words for. Pure."""

from gateway.core.errors import TargetError


def unsupported(target: str, field: str) -> TargetError:
    """Return the error for a field that can't be said in the target's API; another target may know it."""
    return TargetError(
        f"The target {target!r} can't be asked with {field!r}: its API has no such field. Leave it out, or ask another "
        "model.",
        code="unsupported_parameter",
        param=field,
        status=400,
    )
