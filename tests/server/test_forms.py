"""Forms: what stands in them is read whole, and what is no form is refused."""

import asyncio

import pytest
from aiohttp import BodyPartReader, StreamReader
from aiohttp.base_protocol import BaseProtocol

from gateway.core.errors import BadRequest
from gateway.server.forms import FORM_FAULTS, form_fields, streamed_form

HEADERS = {"Content-Type": "multipart/form-data; boundary=edge"}


def form(*parts: tuple[str, bytes]) -> bytes:
    """Return a form with these parts, each with its further headers."""
    begin = b'--edge\r\nContent-Disposition: form-data; name="file"'
    return (
        b"".join(begin + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts) + b"--edge--\r\n"
    )


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 5 * 2**20])
async def test_a_file_is_read_whole(size: int) -> None:
    """Whatever its size, and whatever line ends stand in it."""
    data = (b"\r\n--edg\n" + bytes(range(256)))[:size] + bytes(max(0, size - 265))
    (field,) = await form_fields(HEADERS, form(('; filename="a.wav"\r\nContent-Type: audio/wav', data)))
    assert (field.name, field.file_name, field.declared) == ("file", "a.wav", "audio/wav")
    assert field.content == data


def test_a_large_form_is_read_in_a_thread() -> None:
    """It needs no loop of the server's."""
    (field,) = asyncio.run(form_fields(HEADERS, form(("", bytes(2**20)))))
    assert len(field.content) == 2**20


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        form(("", b"text"))[:-20],
        form(("\r\nContent-Encoding: gzip", b"packed")),
        b"\n" * 2000 + form(("", b"text")),
        form(("\r\nX-Note: " + "long" * 3000, b"text")),
        form(("\r\nno header", b"text")),
    ],
    ids=["empty", "text", "cut", "packed", "lines before", "long header", "no header"],
)
async def test_what_is_no_form_is_refused(body: bytes) -> None:
    """A client error, whatever is wrong."""
    with pytest.raises(BadRequest) as refused:
        await form_fields(HEADERS, body)
    assert refused.value.code == "invalid_form"


async def test_a_few_words_may_stand_before_a_form() -> None:
    """As RFC 2046 has it, and with a boundary in quotes."""
    headers = {"Content-Type": 'multipart/form-data; boundary="edge"'}
    (field,) = await form_fields(headers, b"This is a form.\r\n" + form(("", b"text")))
    assert field.content == b"text"


async def test_too_many_fields_are_refused() -> None:
    """Sooner than they are all read."""
    with pytest.raises(BadRequest, match="fields"):
        await form_fields(HEADERS, form(*[("", b"x")] * 100))


def coming(body: bytes) -> StreamReader:
    """Return a body as a connection has it."""
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), 2**20, loop=loop)
    content.feed_data(body)
    content.feed_eof()
    return content


async def test_a_form_is_read_while_it_comes() -> None:
    """Its parts in order, and what stands in a few lines before them is left out."""
    reader = streamed_form(HEADERS, coming(b"A form.\r\n" + form(("", b"one"), ("", b"\n" * 5000))))
    parts = [bytes(await part.read()) async for part in reader if isinstance(part, BodyPartReader)]
    assert parts == [b"one", b"\n" * 5000]


@pytest.mark.parametrize(
    "body",
    [b"\n" * 5000 + form(("", b"x")), b"--edg\n" * 5000, form(("\r\nno header", b"x"))],
    ids=["lines before", "nearly", "no header"],
)
async def test_what_does_not_begin_is_given_up_soon(body: bytes) -> None:
    """Before all of its lines have been looked at."""
    content = coming(body)
    with pytest.raises(FORM_FAULTS):
        await streamed_form(HEADERS, content).next()
    if len(body) > 5000:
        assert not content.at_eof()
