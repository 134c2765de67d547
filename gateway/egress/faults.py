"""Our errors on their way through a socket: by the name of their class, and back."""

from collections.abc import Iterator

from gateway.core.errors import AduanaError, ConfigurationError, TargetError
from gateway.egress.messages import Fault


def fault_of(error: AduanaError) -> Fault:
    """Return an error as a message."""
    return Fault(
        kind=type(error).__name__,
        message=error.message,
        code=error.code,
        status=error.status,
        param=error.param,
        retry_after=error.retry_after,
    )


def error_of(fault: Fault) -> AduanaError:
    """Return the error that a message stands for."""
    kind = _KINDS.get(fault.kind, TargetError)
    return kind(fault.message, code=fault.code, status=fault.status, param=fault.param, retry_after=fault.retry_after)


def _kinds(kind: type[AduanaError]) -> Iterator[type[AduanaError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


_KINDS = {kind.__name__: kind for kind in _kinds(AduanaError) if kind is not ConfigurationError}
