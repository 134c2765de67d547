"""What the gateway makes of one file: found, kept for a doubt, or let go. By its own reader, inspection and policy."""

import asyncio
import base64
import enum
import mimetypes
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.app.attachments import attachments_of, reader_of
from gateway.app.inspection import running_inspection
from gateway.app.models.plan import catalog_of
from gateway.core.attachment import Reading, data_url
from gateway.core.finding import Inspection
from gateway.core.labels import Label
from gateway.core.request import AnyRequest, Caller, Inbound
from gateway.core.snapshot import Snapshot
from gateway.pipeline.inspection import RequestInspection, would_leave
from gateway.policy import Evidence, Policy, decide, load_policy_files
from gateway.settings import Settings, load_settings
from gateway.wire import openai
from tests.bench.attachments.corpus.sample import Sample
from tests.bench.attachments.kept_readings import KeptReadings

_CONFIGURATION = """
targets:
  home: {kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m, capabilities: [images, audio, files]}
  big: {kind: openai, zone: cloud, base_url: "https://api.example.org/v1", api_key: "env:BENCH_KEY", model: m,
        capabilities: [images, audio, files]}
attachments: {clean_may_leave: true, seconds: SECONDS}
inspection: {seconds: 60, judge: {seconds: 60}, names: {seconds: 120}}
policy: [eager.yaml]
"""
_POLICY = """
version: 1
description: Whatever may leave goes out, so that nothing stays but by its label.
labels:
  default: internal
  tags: {public: public}
  findings: {person: internal, person.record: sensitive, network: internal, other: sensitive}
otherwise: {prefer: [cloud, local]}
"""


class Outcome(enum.StrEnum):
    """What became of a file."""

    FOUND = "found"  # sensitive because of what was found in it
    DOUBT = "kept as doubt"  # at home, but nothing in it was found
    LEFT = "left"


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A file, what became of it, and why."""

    sample: Sample
    outcome: Outcome
    reading: Reading
    categories: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()  # about what was read
    seconds: float = 0.0
    pasted: bool = True  # the same words are found as the text of a message, where they were not found here

    @property
    def values_read(self) -> int:
        """How many of the planted values are in what was read."""
        said = _folded(" ".join(piece.text for piece in self.reading.pieces))
        return sum(_folded(value) in said for value in self.sample.values)


class Examiner:
    """Inspection as the gateway runs it, where clean files may leave and every request is for a cloud first."""

    def __init__(self, requests: RequestInspection, policy: Policy) -> None:
        self._requests = requests
        self._policy = policy

    async def examine(self, sample: Sample) -> Examined:
        """Return what becomes of a request with this file and no word beside it."""
        inbound = self._inbound(_request([_part(sample)]))
        own = await self._requests.examine(inbound.request, inbound.size)
        attached = await self._requests.attachments.found(inbound.request, own, inbound.size)
        begun = asyncio.get_running_loop().time()
        attached = await self._requests.read(attached)
        seconds = asyncio.get_running_loop().time() - begun
        reading = next((item.reading for item in attached.items if item.reading is not None), Reading())
        evidence, decision, _ = await self._requests.decided(self._evidence(inbound, own), self._policy, attached)
        full = (await self._requests.looked_fully(attached)).joined(own)
        full = msgspec.structs.replace(full, findings=(*full.findings, *evidence.inspection.findings))
        outcome = Outcome.FOUND if self._sensitive(inbound, full) else Outcome.DOUBT
        if would_leave(decision, evidence, self._policy):
            outcome = Outcome.LEFT
        return Examined(
            sample=sample, outcome=outcome, reading=reading, seconds=seconds,
            categories=tuple(sorted({finding.category for finding in full.findings})),
            doubts=tuple(sorted({doubt.reason for doubt in evidence.inspection.doubts})),
            pasted=sample.clean or outcome is Outcome.FOUND or await self._found_as_text(sample.told),
        )  # fmt: skip

    async def _found_as_text(self, told: str) -> bool:
        inbound = self._inbound(_request([{"type": "text", "text": told}]))
        own = await self._requests.examine_fully(inbound.request, inbound.size)
        return self._sensitive(inbound, own)

    def _sensitive(self, inbound: Inbound, seen: Inspection) -> bool:
        """Whether findings alone make it sensitive."""
        alone = msgspec.structs.replace(seen, doubts=())
        return decide(self._evidence(inbound, alone), self._policy).label is Label.SENSITIVE

    def _inbound(self, request: tuple[AnyRequest, int]) -> Inbound:
        asked, size = request
        return Inbound(
            id="examined", request=asked, caller=Caller(key="anonymous", user=None, tags=frozenset()),
            tags=frozenset({"public"}), size=size,
        )  # fmt: skip

    def _evidence(self, inbound: Inbound, inspection: Inspection) -> Evidence:
        now = datetime(2026, 5, 3, 12, tzinfo=UTC)
        return Evidence(
            inbound=inbound, inspection=inspection, snapshot=Snapshot(now=now, prompt_tokens_estimate=2_000)
        )


def _request(content: list[dict[str, object]]) -> tuple[AnyRequest, int]:
    body = msgspec.json.encode({"model": "auto", "messages": [{"role": "user", "content": content}]})
    return openai.parse_chat(body), len(body)


def _part(sample: Sample) -> dict[str, object]:
    kind = sample.name.rpartition(".")[2]
    if kind in {"png", "jpg", "gif", "webp", "tif"}:
        media = {"jpg": "jpeg", "tif": "tiff"}.get(kind, kind)
        return {"type": "image_url", "image_url": {"url": data_url(f"image/{media}", sample.data)}}
    encoded = base64.b64encode(sample.data).decode()
    media = mimetypes.guess_type(sample.name)[0] or "application/octet-stream"
    address = f"data:{media};base64,{encoded}"
    return {"type": "file", "file": {"filename": f"document.{kind}", "file_data": address}}


def _folded(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


@asynccontextmanager
async def examiner(kept: Path | None, seconds: float = 120) -> AsyncGenerator[Examiner, None]:
    """Start the gateway's inspection and reader; stop them when the context ends.

    Args:
        kept: A directory for readings.
        seconds: What reading one file may take.
    """
    os.environ.setdefault("BENCH_KEY", "unused")
    with tempfile.TemporaryDirectory() as folder:
        settings, policy = _configured(Path(folder), seconds)
        async with running_inspection(settings, None) as running:
            if running.recognition is not None:
                await running.recognition.loaded()
            reader = reader_of(settings)
            assert reader is not None
            try:
                running.requests.attachments = attachments_of(settings, KeptReadings(reader, kept), None)  # type: ignore[arg-type]
                yield Examiner(running.requests, policy)
            finally:
                await reader.close()


def _configured(folder: Path, seconds: float) -> tuple[Settings, Policy]:
    (folder / "eager.yaml").write_text(_POLICY, "utf-8")
    (folder / "aduana.yaml").write_text(_CONFIGURATION.replace("SECONDS", str(seconds)), "utf-8")
    settings = load_settings(folder / "aduana.yaml")
    policy = load_policy_files((folder / "eager.yaml",), catalog_of(settings), proved=False)
    return settings, policy
