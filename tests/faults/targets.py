"""Asks a real target, cloud or local, and keeps all that came back."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from gateway.cloud import CloudSettings, CloudTarget
from gateway.core.delta import Delta, Finish, Text, UsageReport
from gateway.core.errors import AduanaError
from gateway.core.events import ViolationStopped
from gateway.core.labels import Label, Zone
from gateway.core.request import AnyRequest, EmbeddingsRequest
from gateway.core.target import TargetInfo, TargetState
from gateway.core.usage import Usage
from gateway.local.http.settings import HttpSettings
from gateway.local.http.target import HttpTarget
from gateway.upstream.fast_path import FastPath
from gateway.wire import openai
from tests.faults.clearing import clearance_for

CHAT = b'{"model":"auto","messages":[{"role":"user","content":"Say hello, please."}]}'
EMBED = b'{"model":"auto","input":["one","two"]}'
KINDS = ("cloud", "local")
WAYS = (*KINDS, "cloud, short way", "local, short way")
QUICK: dict[str, Any] = {"connect_seconds": 2.0, "retry_pause": 0.001}


@dataclass
class Asked:
    """What a target gave back."""

    deltas: list[Delta] = field(default_factory=list)
    error: AduanaError | None = None

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas if isinstance(delta, Text))

    @property
    def finished(self) -> list[str]:
        return [delta.reason for delta in self.deltas if isinstance(delta, Finish)]

    @property
    def usage(self) -> Usage | None:
        reports = [delta.usage for delta in self.deltas if isinstance(delta, UsageReport)]
        return reports[0] if reports else None

    @property
    def code(self) -> str | None:
        return self.error.code if self.error else None


class Probe:
    """One started target and how to ask it. `async with Probe(kind, base_url) as probe`.

    The kind is one of `WAYS`: by the short way texts are given as to a streaming client, behind the first delta.
    """

    def __init__(self, kind: str, base_url: str, *, ceiling: Label = Label.PUBLIC, **settings: Any) -> None:
        kind, _, way = kind.partition(", ")
        self.kind = kind
        self._short = bool(way)
        self.violations: list[ViolationStopped] = []
        self.now = 1000.0
        zone = Zone.CLOUD if kind == "cloud" else Zone.LOCAL
        info = TargetInfo(name="big", kind="openai", zone=zone, ceiling=ceiling, model="provider-model")
        given = QUICK | settings
        self.target: CloudTarget | HttpTarget
        if kind == "cloud":
            self.target = CloudTarget(
                info,
                CloudSettings(base_url=base_url, **given),
                on_violation=self.violations.append,
                clock=lambda: self.now,
            )
        else:
            self.target = HttpTarget(info, HttpSettings(base_url=base_url, **given), clock=lambda: self.now)

    async def __aenter__(self) -> "Probe":
        await self.target.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.target.close()
        assert not self.violations

    @property
    def state(self) -> TargetState:
        return self.target.state()

    def stream(
        self, body: bytes = CHAT, *, seconds: float = 10.0, fast: FastPath | None = None
    ) -> AsyncGenerator[Delta, None]:
        """The deltas of the answer to a chat request."""
        request = openai.parse_chat(body)
        deadline = asyncio.get_running_loop().time() + seconds
        if isinstance(self.target, CloudTarget):
            return self.target.generate(clearance_for(request, self.target.info), deadline=deadline, fast=fast)
        return self.target.generate(request, deadline=deadline, isolation="anonymous", fast=fast)

    async def ask(self, body: bytes = CHAT, *, seconds: float = 10.0) -> Asked:
        """The answer to a chat request."""
        asked, fast = Asked(), FastPath()
        stream = self.stream(body, seconds=seconds, fast=fast if self._short else None)
        try:
            async for delta in stream:
                asked.deltas.append(delta)
                fast.take = lambda deltas: asked.deltas.extend(deltas) is None
        except AduanaError as error:
            asked.error = error
        finally:
            await stream.aclose()
        if isinstance(self.target, HttpTarget):
            assert self.state.slots_busy == 0
        return asked

    async def embed(self, body: bytes = EMBED, *, seconds: float = 10.0) -> object:
        """The vectors for an embeddings request. Raises what the target raises."""
        request: AnyRequest = openai.parse_embeddings(body)
        assert isinstance(request, EmbeddingsRequest)
        deadline = asyncio.get_running_loop().time() + seconds
        if isinstance(self.target, CloudTarget):
            return await self.target.embed(clearance_for(request, self.target.info), deadline=deadline)
        return await self.target.embed(request, deadline=deadline)
