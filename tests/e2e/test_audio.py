"""Speech through the whole gateway: a real model hears, a real voice speaks, and what may go where."""

import asyncio
import base64
import contextlib
import io
import json
import shutil
import sqlite3
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import openai
import pytest
import pytest_asyncio

from tests.speech.sounds import encoded, silence, wav
from tests.speech.voices import english_model, spoken
from tests.standins.audio import TRANSCRIPT, AudioServer
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = """
policy: {policy}
targets:
  ear: {{kind: speech, model: "{model}", threads: 2, max_seconds: 60}}
  far-ear:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: whisper-1,
      ceiling: public, endpoints: [transcriptions]}}
  second-ear: {{kind: openai, zone: local, base_url: "{home}", model: whisper, endpoints: [transcriptions]}}
  mouth: {{kind: openai, zone: local, base_url: "{home}", model: kokoro, endpoints: [speech], voices: [af_heart]}}
  broken-mouth: {{kind: openai, zone: local, base_url: "{broken}", model: kokoro, endpoints: [speech]}}
  far-mouth:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: tts-1,
      ceiling: public, endpoints: [speech]}}
  plain-mouth: {{kind: espeak, voice: en}}
  reader: {{kind: openai, zone: local, base_url: "{chat}", model: reads, capabilities: []}}
  far-reader:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY", model: hears,
      ceiling: public, capabilities: [audio]}}
attachments: {{for_text_models: true, clean_may_leave: [sound]}}
models:
  auto: {{}}
  ear: {{targets: [ear]}}
  far: {{targets: [far-ear, far-mouth]}}
  server: {{targets: [second-ear, mouth]}}
  plain: {{targets: [plain-mouth]}}
  broken: {{targets: [broken-mouth]}}
"""
POLICY = """
version: 1
labels: {default: public, findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}}
otherwise: {prefer: [far-reader, reader, far-ear, far-mouth, ear, mouth, plain-mouth, second-ear, broken-mouth]}
"""
NUMBER = "My phone number is 6 1 2, 3 4 5, 6 7 8."
STORY = (
    "The meeting about the harbour begins on Tuesday at noon, and everybody who works there should come. We want to "
    "talk about the new ships, the old cranes, and the weather in winter. Please bring coffee, bread and some fruit "
    "with you, because the kitchen is closed."
)
IBAN = "ES91 2100 0418 4502 0005 1332"


class Studio:
    """A running gateway, the servers at home and the cloud."""

    def __init__(self, gateway: RunningGateway, home: AudioServer, chat: StandInCloud, cloud: AudioServer) -> None:
        self.gateway = gateway
        self.chat = chat
        self.home = home
        self.cloud = cloud

    async def account(self, request_id: str) -> tuple[str, str, str]:
        """Return endpoint, outcome and target of a request, as the ledger has them when it is settled."""
        file: Path = self.gateway.folder / "state" / "ledger.sqlite3"
        async with asyncio.timeout(10):  # the settlement follows the last byte
            while True:
                with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as ledger:
                    found = ledger.execute(
                        "SELECT endpoint, outcome, target FROM whole_receipts JOIN settlements USING (seq) "
                        "WHERE request_id = ?",
                        (request_id,),
                    ).fetchone()
                if found is not None:
                    return found
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def studio(tmp_path_factory) -> AsyncIterator[Studio]:
    """Start a gateway whose policy lets everything leave that inspection finds clean."""
    folder = tmp_path_factory.mktemp("studio")
    model = english_model()
    (folder / "policy.yaml").write_text(POLICY)
    async with (
        AudioServer(streams=True, voice=spoken) as home,
        AudioServer(streams=True) as cloud,
        AudioServer(breaks=True) as broken,
        StandInCloud(answer="I have read it.") as chat,
    ):
        config = CONFIG.format(
            policy=folder / "policy.yaml",
            model=model,
            home=home.base_url,
            cloud=cloud.base_url,
            broken=broken.base_url,
            chat=chat.base_url,
        )
        async with RunningGateway(folder, config, env={"STANDIN_KEY": "sk-standin"}) as gateway:
            yield Studio(gateway, home, chat, cloud)


@pytest_asyncio.fixture(loop_scope="session")
async def client(studio) -> AsyncIterator[openai.AsyncOpenAI]:
    """Return the SDK client as an app developer sets it up: only `base_url` changed."""
    async with openai.AsyncOpenAI(base_url=f"{studio.gateway.url}/v1", api_key="unused", max_retries=0) as client:
        yield client


def said(text: str) -> str:
    """Return a transcript's digits and small letters."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


# In


async def test_what_is_said_is_written_down_at_home(studio, client):
    """A recording is a doubt, so it goes to the model at home although the policy prefers the cloud."""
    before = len(studio.cloud.bodies)
    raw = await client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=("María.wav", spoken(NUMBER)), temperature=0
    )
    answer = raw.parse()
    assert "612345678" in said(answer.text)
    assert answer.usage.type == "duration"
    assert answer.usage.seconds in (4, 5)
    assert raw.headers["x-aduana-target"] == "ear"
    assert raw.headers["x-aduana-label"] == "sensitive"
    assert await studio.account(raw.headers["x-request-id"]) == ("transcriptions", "ok", "ear")
    assert len(studio.cloud.bodies) == before


async def test_a_cloud_that_hears_is_asked_for_no_recording(studio, client):
    """Where only a cloud could hear it, the recording is refused and sent nowhere; that is written down."""
    before = len(studio.cloud.bodies)
    with pytest.raises(openai.PermissionDeniedError) as refused:
        await client.audio.transcriptions.create(model="far", file=("a.wav", spoken(NUMBER)))
    assert await studio.account(refused.value.response.headers["x-request-id"]) == ("transcriptions", "refused", None)
    assert len(studio.cloud.bodies) == before


@pytest.mark.parametrize(
    ("form", "begin", "media_type"),
    [
        ("text", "My phone number", "text/plain"),
        ("srt", "1\n00:00:00,000 --> 00:00:0", "application/x-subrip"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:0", "text/vtt"),
    ],
)
async def test_every_form_of_a_transcript(client, form, begin, media_type):
    """Text and subtitles are what players and editors read."""
    raw = await client.audio.transcriptions.with_raw_response.create(
        model="ear", file=("a.wav", spoken(NUMBER)), response_format=form
    )
    assert raw.text.startswith(begin)
    assert raw.headers["content-type"].startswith(media_type)


async def test_a_verbose_transcript_has_segments_and_words(client):
    """The SDK reads it: language, duration, the segments with their measures, and each word with its time."""
    answer = await client.audio.transcriptions.create(
        model="ear", file=("a.mp3", spoken(NUMBER)), response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )  # fmt: skip
    assert answer.language == "en"
    assert 4.0 < answer.duration < 5.5
    assert answer.segments[0].avg_logprob < 0
    assert [word.word for word in answer.words[:4]] == ["My", "phone", "number", "is"]
    assert answer.words[1].start >= answer.words[0].start


async def test_a_streamed_transcript(client):
    """Pieces come, and then the whole of it; together they are the same."""
    stream = await client.audio.transcriptions.create(model="ear", file=("a.wav", spoken(NUMBER)), stream=True)
    events = [event async for event in stream]
    assert {event.type for event in events[:-1]} == {"transcript.text.delta"}
    assert events[-1].type == "transcript.text.done"
    assert "".join(event.delta for event in events[:-1]).strip() == events[-1].text
    assert "612345678" in said(events[-1].text)


async def test_a_server_at_home_is_asked_in_its_own_words(studio, client):
    """A form under a name of ours goes to it; subtitles are made of its segments, whatever it could make itself."""
    answer = await client.audio.transcriptions.create(
        model="server", file=("María Núñez.ogg", encoded(silence(1.0), "ogg", "libopus", 48_000)),
        response_format="srt", language="en", prompt="Names: Anna",
    )  # fmt: skip
    assert answer == (
        "1\n00:00:00,000 --> 00:00:01,500\nHello there.\n\n2\n00:00:01,500 --> 00:00:03,250\nMy name is Anna.\n\n"
    )
    form = studio.home.forms[-1]
    assert form["file"][0][0] == "audio.ogg"
    assert (form["response_format"], form["language"], form["prompt"]) == (["verbose_json"], ["en"], ["Names: Anna"])
    assert "Núñez".encode() not in studio.home.bodies[-1]


async def test_a_server_that_streams(studio, client):
    """Its events go on as they come."""
    stream = await client.audio.transcriptions.create(model="server", file=("a.wav", wav(silence(1.0))), stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events] == ["transcript.text.delta"] * 2 + ["transcript.text.done"]
    assert events[-1].text == TRANSCRIPT


async def test_a_translation_goes_to_who_can(studio, client):
    """The model at home knows English alone, so the next target translates."""
    with pytest.warns(DeprecationWarning, match="deprecated"):
        answer = await client.audio.translations.create(model="auto", file=("a.wav", wav(silence(1.0))))
    assert answer.text == TRANSCRIPT
    with (
        pytest.warns(DeprecationWarning, match="deprecated"),
        pytest.raises(openai.BadRequestError, match="one language"),
    ):
        await client.audio.translations.create(model="ear", file=("a.wav", wav(silence(1.0))))


@pytest.mark.parametrize(
    ("sound", "code"),
    [
        (b"", "empty_recording"),
        (b"no sound at all", "unreadable_recording"),
        (wav(silence(61.0)), "recording_too_long"),
        (encoded(silence(3.0), "mp4", "aac")[:500], "empty_recording"),
    ],
    ids=["empty", "unknown", "too long", "cut"],
)
async def test_what_can_not_be_heard_is_said(studio, client, sound, code):
    """Each reason is a 400 with words, and the next recording is heard."""
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(model="ear", file=("a.wav", sound))
    assert refused.value.code == code
    assert refused.value.param == "file"
    if sound:
        request_id = refused.value.response.headers["x-request-id"]
        assert (await studio.account(request_id))[:2] == ("transcriptions", "error")


async def test_what_was_said_is_remembered(studio, client):
    """A transcript that somebody pastes into a request later stays at home: its recording was nobody's to read."""
    first = await client.audio.transcriptions.create(model="ear", file=("a.wav", spoken(STORY)))
    raw = await client.audio.speech.with_raw_response.create(model="auto", input=first.text, voice="alloy")
    assert raw.headers["x-aduana-label"] == "sensitive"
    assert raw.headers["x-aduana-target"] == "mouth"


async def test_what_a_recording_says_in_a_chat_is_answered_at_home(studio, client):
    """A model that only reads gets the transcript in the place of the recording; it stays at home although clean
    recordings may leave: a number was said, by whom in which language nobody is sure of."""
    before = len(studio.cloud.bodies)
    sound = base64.b64encode(spoken(NUMBER)).decode()
    parts = [
        {"type": "text", "text": "What does she say?"},
        {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}},
    ]
    raw = await client.chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "user", "content": parts}]
    )
    assert raw.parse().choices[0].message.content.strip() == "I have read it."
    assert raw.headers["x-aduana-target"] == "reader"
    assert raw.headers["x-aduana-label"] == "sensitive"
    read = json.loads(studio.chat.bodies[-1])["messages"][0]["content"]
    text = " ".join(part["text"] for part in read)
    assert "read by this gateway" in text
    assert "612345678" in said(text)
    assert sound[:100] not in text
    assert len(studio.cloud.bodies) == before


# Out


async def test_a_text_is_spoken_by_the_cloud_if_it_may(studio, client):
    """A clean text goes to the cloud; its bytes come back as they are."""
    raw = await client.audio.speech.with_raw_response.create(
        model="far", input="Good morning from the harbour.", voice="coral", instructions="Friendly", speed=1.2
    )
    assert raw.content == b"".join(bytes([number]) * 5000 for number in range(8))
    assert raw.headers["content-type"] == "audio/mpeg"
    assert raw.headers["x-aduana-zone"] == "cloud"
    sent = studio.cloud.asked[-1]
    assert sent == {
        "model": "tts-1", "input": "Good morning from the harbour.", "voice": "coral", "instructions": "Friendly",
        "speed": 1.2,
    }  # fmt: skip
    assert await studio.account(raw.headers["x-request-id"]) == ("speech", "ok", "far-mouth")


async def test_a_text_with_an_account_number_is_spoken_at_home(studio, client):
    """A text is inspected like any other; where only a cloud is asked for, it is refused."""
    before = len(studio.cloud.bodies)
    raw = await client.audio.speech.with_raw_response.create(model="auto", input=f"My IBAN is {IBAN}.", voice="alloy")
    assert (raw.headers["x-aduana-target"], raw.headers["x-aduana-label"]) == ("mouth", "sensitive")
    with pytest.raises(openai.PermissionDeniedError):
        await client.audio.speech.create(model="far", input=f"My IBAN is {IBAN}.", voice="alloy")
    assert len(studio.cloud.bodies) == before


async def test_a_server_at_home_is_not_made_to_fetch_a_voice(studio, client):
    """Some servers clone a voice that lies at an address: whoever is asked for it would learn what stands in it."""
    before = len(studio.home.bodies)
    for named in ("https://voices.example/anna.wav?of=patient", " https://voices.example/anna.wav"):
        with pytest.raises(openai.BadRequestError, match="by its address"):
            await client.audio.speech.create(
                model="server", input="Good morning.", voice="af_heart", extra_body={"ref_audio": named}
            )
    assert len(studio.home.bodies) == before


async def test_speech_as_events(client):
    """`stream_format: sse` gives the bytes in base64, and an end with the usage."""
    raw = await client.audio.speech.with_raw_response.create(
        model="far", input="Good morning.", voice="coral", stream_format="sse"
    )
    events = [line for line in raw.text.split("\n\n") if line]
    assert "speech.audio.done" in events[-1]
    pieces = [event.partition('"audio":"')[2].partition('"')[0] for event in events[:-1]]
    assert b"".join(map(base64.b64decode, pieces)) == b"".join(bytes([number]) * 5000 for number in range(8))


async def test_speech_that_breaks_off_is_no_whole_recording(studio):
    """A recording has no place for an error, so the connection is cut; the ledger has the failure."""
    async with aiohttp.ClientSession() as session:
        body = {"model": "broken", "input": "Good morning.", "voice": "alloy"}
        async with session.post(f"{studio.gateway.url}/v1/audio/speech", json=body) as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientError):
                await answer.read()
        assert (await studio.account(answer.headers["x-request-id"]))[:2] == ("speech", "error")


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed (apt install espeak-ng)")
class TestEspeak:
    """The voice that is always there."""

    async def test_it_speaks_wav(self, client):
        """A WAV file of a few seconds."""
        raw = await client.audio.speech.with_raw_response.create(
            model="plain", input="Good morning.", voice="alloy", response_format="wav"
        )
        assert raw.headers["x-aduana-target"] == "plain-mouth"
        with wave.open(io.BytesIO(raw.content)) as file:
            assert file.getframerate() == 22_050
        assert len(raw.content) > 22_050

    @pytest.mark.parametrize(
        ("form", "begin"), [("mp3", (b"\xff\xf3", b"\xff\xfb", b"ID3")), ("opus", (b"OggS",)), ("flac", (b"fLaC",))]
    )
    async def test_it_speaks_in_every_format(self, client, form, begin):
        """What begins like the format is the format; the model hears what it says."""
        raw = await client.audio.speech.with_raw_response.create(
            model="plain", input="Good morning. The weather is fine today.", voice="en-us", response_format=form
        )
        assert raw.content.startswith(begin)
        heard = await client.audio.transcriptions.create(model="ear", file=(f"a.{form}", raw.content))
        assert "weather" in heard.text.lower()

    async def test_it_speaks_spanish(self, client):
        """Its voices are asked for by their language."""
        spanish = await client.audio.speech.create(
            model="plain", input="Buenos días", voice="es", response_format="pcm"
        )
        english = await client.audio.speech.create(
            model="plain", input="Buenos días", voice="en", response_format="pcm"
        )
        assert spanish.content != english.content

    async def test_voices_are_listed(self, studio):
        """As Open WebUI reads them: those of the program, and those that are configured for a server."""
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{studio.gateway.url}/v1/audio/voices") as answer:
                voices = {voice["id"]: voice["name"] for voice in (await answer.json())["voices"]}
            assert voices["af_heart"] == "af_heart"
            assert "Spanish" in voices["es"]
            async with session.get(f"{studio.gateway.url}/audio/voices", params={"model": "server"}) as answer:
                assert [voice["id"] for voice in (await answer.json())["voices"]] == ["af_heart"]


def guzzle_form(fields: dict[str, bytes]) -> bytes:
    """Return a form as PHP's Guzzle writes it: each part tells its length, and the file is called file.mp3."""
    parts = []
    for name, content in fields.items():
        file = '; filename="file.mp3"' if name == "file" else ""
        kind = "Content-Type: audio/mpeg\r\n" if file else ""
        head = f'--edge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'
        head += f"Content-Length: {len(content)}\r\n{kind}\r\n"
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + b"--edge--\r\n"


async def test_nextcloud_writes_down_and_speaks(studio):
    """As its integration_openai asks (lib/Service/OpenAiAPIService.php).

    A WAV file under a wrong name, the length of the recording from its last segment, and a model of OpenAI's for
    pictures where it wants speech.
    """
    url = studio.gateway.url
    form = guzzle_form({"model": b"whisper-1", "file": spoken(NUMBER), "response_format": b"verbose_json"})
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "multipart/form-data; boundary=edge", "User-Agent": "Nextcloud OpenAI integration"}
        async with session.post(f"{url}/v1/audio/transcriptions", data=form, headers=headers) as answer:
            found = await answer.json()
        assert "612345678" in said(found["text"])
        assert 3.0 < found["segments"][-1]["end"] < 5.5
        body = {"input": "Good morning.", "voice": "alloy", "model": "dall-e-2", "response_format": "mp3"}
        async with session.post(f"{url}/v1/audio/speech", json=body) as answer:
            assert answer.status == 200
            assert answer.content_type == "audio/mpeg"
            assert len(await answer.read()) == 40_000


async def test_open_webui_writes_down_and_speaks(studio):
    """As its routers/audio.py asks: a form with a file and a language, and JSON whose answer it keeps as a file."""
    url = studio.gateway.url
    async with aiohttp.ClientSession() as session:
        form = aiohttp.FormData()
        form.add_field("model", "ear")
        form.add_field("language", "en")
        form.add_field("file", spoken(NUMBER), filename="0f3c.mp3", content_type="audio/mpeg")
        async with session.post(f"{url}/v1/audio/transcriptions", data=form) as answer:
            assert "612345678" in said((await answer.json())["text"])
        body = {"model": "server", "input": "Good morning.", "voice": "af_heart"}
        async with session.post(f"{url}/v1/audio/speech", json=body) as answer:
            assert (await answer.read())[:4] == b"RIFF"  # what the server made, whatever was asked for


async def test_the_round_trip(client):
    """A voice says a number, the model at home hears it: what a person does with a voice assistant."""
    speech = await client.audio.speech.create(model="server", input=NUMBER, voice="af_heart", response_format="wav")
    heard = await client.audio.transcriptions.create(model="ear", file=("a.wav", speech.content))
    assert "612345678" in said(heard.text)


async def test_the_client_that_waits(studio):
    """The SDK's other client gets the same."""
    await asyncio.to_thread(_wait_for_sound, studio)


def _wait_for_sound(studio: Studio) -> None:
    with openai.OpenAI(base_url=f"{studio.gateway.url}/v1", api_key="unused", max_retries=0) as client:
        heard = client.audio.transcriptions.create(model="ear", file=("a.wav", spoken(NUMBER)))
        assert "612345678" in said(heard.text)
        with client.audio.transcriptions.create(model="ear", file=("a.wav", spoken(NUMBER)), stream=True) as stream:
            assert [event.type for event in stream][-1] == "transcript.text.done"
        with client.audio.speech.with_streaming_response.create(model="far", input="Hello.", voice="ash") as response:
            assert sum(len(piece) for piece in response.iter_bytes()) == 40_000
