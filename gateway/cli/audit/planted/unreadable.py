"""Parts that nobody can read: pictures, sounds and files, as parts, by address, in texts and tool results."""

import base64
import json
from collections.abc import Mapping

from gateway.cli.audit.planted.dialects import blocks, item, message, ollama, response
from gateway.cli.audit.planted.media import data_uri, docx, pdf, png, zipped
from gateway.cli.audit.planted.places import CHAT, Body, Place, beside, chat, put_said

_PNG = base64.b64encode(png()).decode()
_PICTURE = data_uri("image/png", png())
_PDF = data_uri("application/pdf", pdf())


def _parts(*parts: Body) -> Place:
    return chat(lambda body, text: put_said(body, list(parts)))


def _holding(text: str, place: Place = CHAT["user"]) -> Place:
    """Return the place with this text instead of a canary."""
    return Place(path=place.path, body=lambda marker, _: place.body(marker, text))


def _mcp(**content: object) -> Place:
    return _holding(json.dumps({"content": [{"type": "text", "text": "hecho"}, content]}), CHAT["tool result"])


UNREADABLE: Mapping[str, Place] = {
    "image by address": _parts({"type": "image_url", "image_url": {"url": "https://example.org/scan.png"}}),
    "image": _parts({"type": "image_url", "image_url": {"url": _PICTURE}}),
    "audio": _parts({"type": "input_audio", "input_audio": {"data": _PNG, "format": "wav"}}),
    "file": _parts({"type": "file", "file": {"filename": "a.pdf", "file_data": _PDF}}),
    "file by id": _parts({"type": "file", "file": {"file_id": "file-1"}}),
    "part of unknown type": _parts({"type": "hologram", "data": "x"}),
    "token numbers": beside(
        "/v1/completions", lambda said: {"user": said}, lambda body, text: body.update(prompt=[1, 2, 3]), left_out=False
    ),
    "Anthropic image": message(
        blocks("user", type="image", source={"type": "base64", "media_type": "image/png", "data": _PNG})
    ),
    "Anthropic document": message(
        blocks(
            "user",
            type="document",
            source={"type": "base64", "media_type": "application/pdf", "data": _PDF.partition(",")[2]},
        )
    ),
    "Anthropic image in a tool result": message(
        blocks(
            "user",
            type="tool_result",
            tool_use_id="t",
            content=[{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}}],
        )
    ),
    "Ollama image": ollama(
        lambda body, text: body["messages"].append({"role": "user", "content": "mira", "images": [_PNG]})
    ),
    "Responses image": response(item(role="user", content=[{"type": "input_image", "image_url": _PICTURE}])),
    "Responses file": response(
        item(role="user", content=[{"type": "input_file", "filename": "a.pdf", "file_data": _PDF}])
    ),
    "Responses image in a call's output": response(
        lambda body, text: body["input"].extend(
            [
                {"type": "function_call", "call_id": "c", "name": "view", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": [_input_image()]},
            ]
        )
    ),
    "Responses computer screen": response(
        item(type="computer_call_output", call_id="c", output={"type": "computer_screenshot", "image_url": _PICTURE})
    ),
    "picture in a text": _holding(f"mira ![]({_PICTURE})"),
    "PDF in a text": _holding(f"léelo: {_PDF}"),
    "sound in a text": _holding("oye " + data_uri("audio/mpeg", b"ID3\4\0\0\0\0\0\0" + png(2)[40:900])),
    "document of a word processor in a text": _holding(data_uri("application/octet-stream", docx("Hola."))),
    "picture in HTML": _holding(f'<p>mira</p><img alt="" src="{_PICTURE}">'),
    "picture in JSON": _holding(json.dumps({"image": _PNG})),
    "archive in a text": _holding(base64.b64encode(zipped("Hola.", "foto.bin") + png(3)).decode()),
    "picture in hexadecimal": _holding(png().hex()),
    "MCP picture in a tool result": _mcp(type="image", data=_PNG, mimeType="image/png"),
    "MCP resource in a tool result": _mcp(
        type="resource",
        resource={"uri": "file:///a.pdf", "blob": _PDF.partition(",")[2]},
    ),
    "picture in a call's arguments": _holding(_PICTURE, CHAT["tool call"]),
    "picture in a system message": _holding(_PICTURE, CHAT["system"]),
    "picture in an unknown field": _holding(_PICTURE, CHAT["unknown field"]),
    "picture in metadata": _holding(_PICTURE, CHAT["metadata"]),
}


def _input_image() -> Body:
    return {"type": "input_image", "image_url": _PICTURE}
