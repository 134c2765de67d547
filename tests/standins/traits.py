"""What a model can do, as listings are told in tests."""

from gateway.core.request import Endpoint
from gateway.core.target import Capability, ModelTraits


def traits(*capabilities: Capability, context: int | None = 8192, endpoint: Endpoint = Endpoint.CHAT) -> ModelTraits:
    """A model that serves one endpoint."""
    return ModelTraits(
        targets=("home",), context=context, endpoints=frozenset({endpoint}), capabilities=frozenset(capabilities)
    )
