"""Target that speaks with espeak-ng, one run of the program a request. Local always."""

import contextlib
import time
from collections.abc import AsyncGenerator

from gateway.core.delta import Delta, Finish, FinishReason, Sound, UsageReport
from gateway.core.errors import BadRequest, TargetMisconfigured
from gateway.core.progress import Progress
from gateway.core.request import AnyMediaRequest, SpeechRequest
from gateway.core.target import TargetInfo, TargetState, Voice
from gateway.core.usage import Usage
from gateway.local.espeak.program import MEDIA_TYPES, Speech, speak, voices
from gateway.local.espeak.settings import EspeakSettings
from gateway.local.timely import timely
from gateway.local.wordless import WordlessTarget


class EspeakTarget(WordlessTarget):
    """The voices of one program. Owns the queue before it."""

    def __init__(self, info: TargetInfo, settings: EspeakSettings) -> None:
        super().__init__(info, "speaks", slots=settings.slots, queue=settings.queue, queue_wait=settings.queue_wait)
        self._settings = settings
        self._problem = ""
        self.voices: tuple[Voice, ...] = ()

    async def start(self) -> None:
        """Ask the program for its voices. One that is missing shows in `state`."""
        try:
            self.voices = await voices(self._settings.program)
        except TargetMisconfigured as error:
            self._problem = error.message

    async def close(self) -> None:
        """Do nothing: each run ends with its request."""

    def state(self) -> TargetState:
        """Say how the target is doing."""
        return TargetState(
            healthy=not self._problem,
            queue_depth=self._slots.waiting,
            queue_wait_seconds=self._slots.expected_wait(),
            slots_busy=self._slots.busy,
            slots_total=self._settings.slots,
            latency_seconds=self._throughput.latency_seconds,
            problem=self._problem,
        )

    async def exchange(
        self,
        request: AnyMediaRequest,
        *,
        deadline: float,
        isolation: str,
        priority: int = 0,
        progress: Progress | None = None,
    ) -> AsyncGenerator[Delta, None]:
        """Yield the recording of a text as it comes. `deadline` is in the loop's clock.

        Raises:
            BadRequest: The format can't be made here.
            TargetBusy: There is no place in the queue.
            TargetError: The program fails.
            TargetMisconfigured: It is missing.
            TargetTimeout: It took longer than the deadline.
        """
        if not isinstance(request, SpeechRequest):
            raise self.unable()
        if self._problem:
            raise TargetMisconfigured(f"The target {self._info.name!r} can't speak: {self._problem}")
        if request.response_format not in MEDIA_TYPES:
            raise BadRequest(
                f"'response_format' {request.response_format!r} is not known: {', '.join(MEDIA_TYPES)} are.",
                param="response_format",
            )
        speech = Speech(
            text=request.text,
            voice=self._voice(request.voice),
            speed=request.speed,
            format=request.response_format,
        )
        async with self._slots.slot(isolation, priority, deadline):
            begun, first = time.monotonic(), True
            late = f"The text took {self._info.name!r} too long."
            async with contextlib.aclosing(timely(self._spoken(speech), deadline, late)) as pieces:
                async for piece in pieces:
                    if first:
                        self._throughput.started(time.monotonic() - begun)
                        first = False
                    yield piece
        yield Finish(reason=FinishReason.STOP)
        yield UsageReport(usage=Usage(spoken_characters=len(request.text)))

    async def _spoken(self, speech: Speech) -> AsyncGenerator[Sound, None]:
        async with contextlib.aclosing(speak(self._settings.program, speech)) as pieces:
            async for piece in pieces:
                yield Sound(data=piece, media_type=MEDIA_TYPES[speech.format])

    def _voice(self, asked: str) -> str:
        """Return the voice that was asked for, where the program has it; clients name voices of OpenAI by default."""
        known = {voice.id.casefold(): voice.id for voice in self.voices}
        return known.get(asked.casefold(), self._settings.voice)
