"""OpenAI's endpoints for sound: parse, ask the pipeline, encode."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from aiohttp import web

from gateway.core.request import MediaWork
from gateway.core.target import Voice
from gateway.server.answers import json_answer
from gateway.server.endpoint import REQUEST_ID, HttpEndpoint
from gateway.server.handlers.listing import Listing
from gateway.server.streaming import COMMENT, EVENTS
from gateway.wire.openai import speech, transcriptions

Voices = Callable[[], Mapping[str, Sequence[Voice]]]
"""Returns the voices of each target that speaks."""


class AudioHandlers:
    """Handlers of the routes below `/v1/audio`, one for each. Holds no state but its parts."""

    def __init__(self, endpoint: HttpEndpoint, listing: Listing, voices: Voices) -> None:
        self._endpoint = endpoint
        self._listing = listing
        self._voices = voices

    async def transcriptions(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/audio/transcriptions."""
        return await self._written_down(http, MediaWork.TRANSCRIPTIONS)

    async def translations(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/audio/translations."""
        return await self._written_down(http, MediaWork.TRANSLATIONS)

    async def speech(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /v1/audio/speech."""
        caller, request, size = await self._endpoint.parsed_document(http, speech.parse_speech, files=frozenset())
        events = speech.wants_events(request)
        return await self._endpoint.generate(
            http,
            self._endpoint.inbound(http, caller, request, size),
            request,
            stream=speech.SpeechEvents if events else speech.SpeechBytes,
            assembly=speech.unassembled,
            content_type=EVENTS if events else speech.FORMATS[request.response_format],
            waiting=COMMENT if events else None,
        )

    async def voices(self, http: web.Request) -> web.StreamResponse:
        """Answer GET /v1/audio/voices, of one model where the query names it, else of all that this caller may ask."""
        caller = self._endpoint.caller(http)
        model = http.query.get("model")
        traits = self._listing.all(caller).values() if model is None else (self._listing.one(caller, model),)
        targets = {target for one in traits for target in one.targets}
        voices = [voice for target, every in self._voices().items() if target in targets for voice in every]
        return json_answer(speech.voices_body(voices), {"x-request-id": http[REQUEST_ID]})

    async def _written_down(self, http: web.Request, work: MediaWork) -> web.StreamResponse:
        parse = partial(transcriptions.parse_transcription, work)
        caller, request, size = await self._endpoint.parsed_document(http, parse, files=transcriptions.FILES)
        return await self._endpoint.generate(
            http,
            self._endpoint.inbound(http, caller, request, size),
            request,
            stream=transcriptions.TranscriptStream,
            assembly=partial(transcriptions.TranscriptAssembly, request),
            whole_type=transcriptions.FORMATS[request.response_format],
        )
