"""Every error that a client or an operator may meet, with what HTTP needs to know. No stack, prompt or key inside.

Rooms raise these; `wire` puts them in the client's dialect. `TargetError` is the only family after which the
pipeline may try the next permitted target.
"""

from gateway.core.route import Route


class AduanaError(Exception):
    """Error with a message that clients may read. `code` is stable and for programs; `status` is the HTTP status.

    `route` is what was decided about the request that failed; None: nothing was, or not by then.
    """

    status = 500
    code = "internal_error"
    kind = "api_error"  # OpenAI's `type`

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.route: Route | None = None
        self.param = param
        self.retry_after = retry_after  # seconds; None: waiting does not help
        self.code = code or type(self).code
        self.status = status or type(self).status


class BadRequest(AduanaError):
    """The client's request can't be used."""

    status = 400
    code = "invalid_request"
    kind = "invalid_request_error"


class ContextLengthExceeded(BadRequest):
    """The prompt does not fit the window of any permitted target."""

    code = "context_length_exceeded"


class Unauthorized(AduanaError):
    """The client sent no key, or one that is not known."""

    status = 401
    code = "invalid_api_key"
    kind = "authentication_error"


class KeyExpired(Unauthorized):
    """The key is known, and its time is over."""

    code = "key_expired"


class KeyRevoked(Unauthorized):
    """The key is known, and its owner has ended it, or put a new secret in the place of this one."""

    code = "key_revoked"


class Forbidden(AduanaError):
    """The key, host or origin may not do this."""

    status = 403
    code = "forbidden"
    kind = "permission_error"


class PolicyRefused(Forbidden):
    """The policy permits no target for this request, now or later."""

    code = "policy_refused"


class NotFound(AduanaError):
    """The route, the model or the object does not exist."""

    status = 404
    code = "not_found"
    kind = "invalid_request_error"


class BudgetSpent(AduanaError):
    """Every target that may answer costs money, and a budget is spent until its next period begins."""

    status = 429
    code = "budget_spent"
    kind = "insufficient_quota"  # OpenAI's word for an account that is used up


class RateLimited(AduanaError):
    """A limit of requests or tokens has no room for a request of this key, user or tag now.

    `retry_after` says when it will have; None: never for a request like this one.
    """

    status = 429
    code = "rate_limit_exceeded"  # OpenAI's
    kind = "rate_limit_error"


class RequestTimeout(AduanaError):
    """The client did not send its body in time."""

    status = 408
    code = "request_timeout"
    kind = "invalid_request_error"


class TooLarge(AduanaError):
    """The body is over the configured size."""

    status = 413
    code = "request_too_large"
    kind = "invalid_request_error"


class Unavailable(AduanaError):
    """No permitted target can answer now; one may be able to later."""

    status = 503
    code = "unavailable"
    kind = "server_error"


class LedgerUnavailable(Unavailable):
    """The receipt could not be written, so nothing was sent."""

    code = "ledger_unavailable"


class ShuttingDown(Unavailable):
    """The gateway ends, and the answer did not within the time that was left for it."""

    code = "shutting_down"


class TargetError(AduanaError):
    """A target failed. Before the first byte reached the client, the next permitted target may be tried."""

    status = 502
    code = "target_error"
    kind = "server_error"


class TargetUnavailable(TargetError):
    """The target can't be reached, is not loaded, or its circuit breaker is open."""

    status = 503
    code = "target_unavailable"


class TargetBusy(TargetError):
    """The target's queue is full, or it limits our rate."""

    status = 429
    code = "target_busy"
    kind = "rate_limit_error"


class TargetTimeout(TargetError):
    """The target did not answer within its time limit."""

    status = 504
    code = "target_timeout"


class TargetMisconfigured(TargetError):
    """The target refuses the gateway's own credentials or settings (401, 403, unknown model)."""

    code = "target_misconfigured"


class ClientCredentialRefused(TargetError):
    """The request has no credential of the client's own for a target that wants one, or the provider refuses it."""

    status = 401
    code = "client_credential_refused"
    kind = "authentication_error"


class ClientLimited(TargetBusy):
    """The provider limits the client's own key. Other clients' keys are not touched."""


class TargetLacksEndpoint(TargetMisconfigured):
    """The target does not know the model or the address (404, 405) at the endpoint that was asked; others may work."""


class TargetProtocolError(TargetError):
    """The answer was not what the protocol says: wrong type, broken JSON, cut stream."""

    code = "target_protocol_error"


class TargetCutOff(TargetProtocolError):
    """The connection to the target broke inside its answer."""


class TargetRejected(BadRequest):
    """The target understood the request and refused it (4xx): another target may not, but the client should know."""

    code = "target_rejected"


class ConfigurationError(AduanaError):
    """A configuration or policy file that can't be used. `problems` are complete sentences with file and line."""

    code = "configuration_error"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
