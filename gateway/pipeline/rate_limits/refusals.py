"""The wording of refusals by limits: which limit, what is left of it, and when there will be room."""

from math import ceil, isinf

from gateway.core.errors import RateLimited, TargetBusy
from gateway.core.limits import Scope
from gateway.pipeline.rate_limits.meter import Kind, Shortage
from gateway.pipeline.rate_limits.table import Limited


def refusal(limited: Limited, shortage: Shortage) -> RateLimited:
    """Return the error for a request that a limit of its key, user or tag refuses."""
    return RateLimited(_worded(limited, shortage), retry_after=_wait(shortage))


def busy(limited: Limited, shortage: Shortage) -> TargetBusy:
    """Return the error of a target whose limit has no room: the next target of the decision is tried."""
    return TargetBusy(_worded(limited, shortage), code=RateLimited.code, retry_after=_wait(shortage))


def _wait(shortage: Shortage) -> float | None:
    return None if isinf(shortage.wait) else shortage.wait


def _worded(limited: Limited, shortage: Shortage) -> str:
    who, limit = _titled(limited), f"{shortage.limit:,}"
    when = "" if isinf(shortage.wait) else f" in {_seconds(shortage.wait)}"
    match shortage.kind:
        case Kind.REQUESTS:
            return f"{who} may take {limit} {_requests(shortage.limit)} a minute. The next one fits{when}."
        case Kind.PARALLEL:
            return f"{who} may have {limit} {_requests(shortage.limit)} running at once. One is expected to end{when}."
        case Kind.TOKENS | Kind.TOKENS_DAY:
            period = "minute" if shortage.kind is Kind.TOKENS else "day"
            begun = f"{who} may take {limit} tokens a {period}"
            if isinf(shortage.wait):
                return f"{begun}, and the prompt alone has more. Shorten it."
            asked = f"{shortage.left:,} are left, and this request may take up to {shortage.wanted:,}"
            return f"{begun}; {asked}. It fits{when}; a lower max_tokens takes less."


def _titled(limited: Limited) -> str:
    match limited.scope:
        case Scope.KEY:
            return "This API key"
        case Scope.USER:
            return "You"
        case Scope.TAG:
            return f"Requests with the tag {limited.name!r}"
        case Scope.TARGET:
            return f"The target {limited.name!r}"


def _requests(count: int) -> str:
    return "request" if count == 1 else "requests"


def _seconds(wait: float) -> str:
    whole = max(1, ceil(wait))
    if whole < 120:
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 7200:
        return f"{ceil(whole / 60)} minutes"
    return f"{ceil(whole / 3600)} hours"
