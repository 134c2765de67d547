"""Stand-in for a server that hears and speaks: OpenAI's audio endpoints on loopback. It keeps what arrived."""

import json

from aiohttp import web

from tests.standins.cloud import StandInCloud
from tests.standins.pictures import form_of

TRANSCRIPT = "Hello there. My name is Anna."
SEGMENTS = [
    {"id": 0, "start": 0.0, "end": 1.5, "text": " Hello there.", "avg_logprob": -0.2, "no_speech_prob": 0.01},
    {"id": 1, "start": 1.5, "end": 3.25, "text": " My name is Anna.", "avg_logprob": -0.3, "no_speech_prob": 0.02},
]
WORDS = [{"word": "Hello", "start": 0.0, "end": 0.5}, {"word": "there", "start": 0.5, "end": 1.5}]


class AudioServer(StandInCloud):
    """Server as a cloud, speaches, whisper.cpp or Kokoro have it.

    `streams`: it sends a transcript in events. `voice`: what makes the sound of a text; None: bytes in a known order.
    `breaks`: its recordings end in the middle.
    """

    def __init__(self, *, streams: bool = False, voice=None, breaks: bool = False) -> None:
        super().__init__()
        self.streams = streams
        self.voice = voice
        self.breaks = breaks
        self.forms: list[dict[str, list[object]]] = []
        self.asked: list[dict[str, object]] = []

    def add_routes(self, app: web.Application) -> None:
        """Serve the audio endpoints and a list of models."""
        super().add_routes(app)
        app.router.add_post("/v1/audio/transcriptions", self._transcript)
        app.router.add_post("/v1/audio/translations", self._transcript)
        app.router.add_post("/v1/audio/speech", self._speech)
        app.router.add_get("/v1/models", self._models)

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "whisper-1"}]})

    async def _transcript(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.read())
        form = form_of(request.headers["Content-Type"], self.bodies[-1])
        self.forms.append(form)
        if self.streams and form.get("stream") == ["true"]:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            for piece in ("Hello there.", " My name is Anna."):
                await response.write(_event({"type": "transcript.text.delta", "delta": piece}))
            usage = {"type": "tokens", "input_tokens": 33, "output_tokens": 8, "total_tokens": 41}
            usage["input_token_details"] = {"text_tokens": 0, "audio_tokens": 33}
            await response.write(_event({"type": "transcript.text.done", "text": TRANSCRIPT, "usage": usage}))
            await response.write_eof()
            return response
        answer: dict[str, object] = {"text": TRANSCRIPT, "usage": {"type": "duration", "seconds": 4}}
        if form["response_format"] == ["verbose_json"]:
            answer |= {"task": "transcribe", "language": "english", "duration": 3.25, "segments": SEGMENTS}
            answer |= {"words": WORDS} if "timestamp_granularities[]" in form else {}
        return web.json_response(answer)

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        asked = json.loads(self.bodies[-1])
        self.asked.append(asked)
        sound = self.voice(asked["input"]) if self.voice else b"".join(bytes([number]) * 5000 for number in range(8))
        response = web.StreamResponse(headers={"Content-Type": "audio/wav" if self.voice else "audio/mpeg"})
        await response.prepare(request)
        half = len(sound) // 2
        await response.write(sound[:half])
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write(sound[half:])
        await response.write_eof()
        return response


def _event(fields: dict[str, object]) -> bytes:
    return f"data: {json.dumps(fields)}\n\n".encode()
