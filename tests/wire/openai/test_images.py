"""Answers with pictures: what they say of their tokens."""

import json

from gateway.core.delta import Picture, UsageReport
from gateway.core.request import MediaWork
from gateway.core.usage import Usage
from gateway.wire.openai.images import ImagesAssembly, ImagesStream

USAGE = Usage(input=100, input_image=80, output=300, output_image=272)
TOLD = {
    "input_tokens": 100,
    "input_tokens_details": {"text_tokens": 20, "image_tokens": 80},
    "output_tokens": 300,
    "output_tokens_details": {"text_tokens": 28, "image_tokens": 272},
    "total_tokens": 400,
}


def test_an_answer_tells_which_tokens_are_pictures() -> None:
    """Clients see what the target said of texts and pictures, which cost different prices, whole and streamed."""
    assembly, stream = ImagesAssembly(created=1), ImagesStream(MediaWork.EDITS, created=1)
    for delta in (Picture(base64="aGk="), UsageReport(usage=USAGE)):
        assembly.add(delta)
        event = stream.encode(delta)
    assert json.loads(assembly.body())["usage"] == TOLD
    assert json.loads(event.partition(b"data: ")[2])["usage"] == TOLD
