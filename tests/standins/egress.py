"""The egress process's server inside a test: the same messages, signatures and checks, without another process."""

import os
import socket
from collections.abc import Mapping

from gateway.cloud import CloudSettings
from gateway.core.secret import Secret
from gateway.core.target import TargetInfo
from gateway.egress.keys import new_seal
from gateway.egress.messages import Provider, Setup
from gateway.egress.process.server import EgressServer
from gateway.egress.sender import Sender
from gateway.egress.signing import Signer


class EgressHere:
    """A server in this process, and the sender that asks it. `sender` signs with the key that the server knows."""

    problem = ""
    tls = None

    def __init__(self, providers: tuple[Provider, ...], keys: Mapping[str, Secret] | None = None) -> None:
        self.seal = new_seal()
        self.server = EgressServer(
            Setup(providers=providers, seal=self.seal, cache=os.environ["XDG_CACHE_HOME"]), keys or {}
        )
        self.sender = Sender(self, Signer(self.seal))

    async def connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.server.take(theirs)
        return ours

    async def close(self) -> None:
        await self.sender.close()
        await self.server.close()


def provider_of(info: TargetInfo, settings: CloudSettings) -> Provider:
    """A target as the egress process knows it."""
    return Provider(
        name=info.name,
        ceiling=info.ceiling,
        settings=settings,
        endpoints=info.endpoints,
        client_credential=info.client_credential,
    )


class SealedHere:
    """Takes the place of `OwnDoor`: the door of one target, with a server of its own behind it."""

    def __init__(self, info: TargetInfo, settings: CloudSettings) -> None:
        keys = {} if settings.api_key is None else {info.name: settings.api_key}
        self._egress = EgressHere((provider_of(info, settings),), keys)
        self._door = self._egress.sender.door(info.name)
        self.problem = ""
        self.send = self._door.send

    async def close(self) -> None:
        await self._egress.close()
