"""The door that a cleared document leaves by: in this process, or in another one that alone has the keys."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from gateway.cloud.settings import CloudSettings
from gateway.core.secret import Credential
from gateway.core.target import TargetInfo
from gateway.policy import Clearance
from gateway.upstream.exchange import Reply
from gateway.upstream.media.requests import SentBody


class Door(Protocol):
    """Way to one provider. It sends what a clearance clears, once."""

    @property
    def problem(self) -> str:
        """Why nothing can leave by it now, in a sentence; empty: it can."""
        ...

    async def send(
        self, clearance: Clearance, sent: SentBody, *, most_bytes: int, credential: Credential | None
    ) -> Reply:
        """Send one body and return the answer that begins.

        Args:
            clearance: What clears it.
            sent: What was made of the cleared document.
            most_bytes: The largest answer, unpacked.
            credential: The client's own, for this one request. None: the configured key.

        Raises:
            AduanaError: No connection, or an answer with any status but 200; or the door would not send it.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


MakeDoor: TypeAlias = Callable[[], Door]
"""Opens the door of one target, when the target starts."""


class OwnDoor:
    """Door in this process. Owns the provider's client."""

    problem = ""

    def __init__(self, info: TargetInfo, settings: CloudSettings) -> None:
        # Imported only here: a gateway whose door is another process loads nothing that can reach a cloud.
        from gateway.cloud.client import ProviderClient

        self._client = ProviderClient(info.name, settings)

    async def send(
        self, clearance: Clearance, sent: SentBody, *, most_bytes: int, credential: Credential | None
    ) -> Reply:
        """Send one body and return the answer that begins; raises what `Door.send` raises."""
        assert type(clearance) is Clearance
        return await self._client.send(
            sent.path,
            sent.content,
            most_bytes=most_bytes,
            credential=credential,
            content_type=sent.content_type,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()
