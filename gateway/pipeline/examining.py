"""The one way in which a document of a request is inspected: the original, and the masked one afresh."""

import asyncio

from gateway.core.finding import Inspection
from gateway.core.request import AnyRequest
from gateway.pipeline.parts import Inspecting

# Scanning costs about 0.2 ms per KB at worst: longer documents go to a thread so that other streams keep flowing.
INLINE_BYTES = 16 * 1024


class Examining:
    """Looks at a request's whole document. Knows no conversation: what earlier turns were is not its matter."""

    def __init__(self, inspector: Inspecting) -> None:
        self._inspector = inspector

    async def examine(self, request: AnyRequest, size: int) -> Inspection:
        """Everything that is found in the request. `size`: bytes of its body, about. Never raises."""
        if size > INLINE_BYTES:
            return await asyncio.to_thread(self._inspector.inspect, request.document, request.media)
        return self._inspector.inspect(request.document, request.media)
