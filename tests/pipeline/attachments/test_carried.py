"""Attachments that a request names: put into it before anything else looks, for whoever may have them."""

import base64
from typing import Any

import pytest

from gateway.core.attachment import FileContent, data_url
from gateway.core.document import encode
from gateway.core.errors import AduanaError, BadRequest, NotFound, TooLarge
from gateway.core.request import Media
from gateway.pipeline.attachments.carried import Carriers, KeptFile
from gateway.privacy import Inspector
from tests.pipeline.attachments.reader import PDF, PHOTO, FakeReader, asking, file_part, pages
from tests.pipeline.memory_world import World


class Files:
    """A store with one file of Ana's."""

    def __init__(self, data: bytes = PDF, name: str = "report.pdf", tags: frozenset[str] = frozenset()) -> None:
        self.file = KeptFile(name=name, data=data, tags=tags)

    async def whole(self, owner: str, file_id: str, most: int) -> KeptFile | None:
        if (owner, file_id) != ("ana", "file-1"):
            return None
        if len(self.file.data) > most:
            raise TooLarge("too large")
        return self.file


class Web:
    """The web, of which one host may be asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def covers(self, url: str) -> bool:
        return url.startswith("https://files.example/")

    async def fetch(self, url: str, most: int) -> FileContent:
        self.asked.append(url)
        if len(PHOTO) > most:
            raise BadRequest("larger")
        return FileContent(media_type="image/png", data=PHOTO)


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    return Inspector(hyperscan=False)


NAMED: dict[str, Any] = {"type": "file", "file": {"file_id": "file-1"}}


async def carried(carriers: Carriers, inspector: Inspector, body: dict[str, Any], key: str = "ana") -> Any:
    """Return the request as it is inspected."""
    inbound = World(inspector).inbound(body, "public", key=key)
    return await carriers.carried(inbound, inbound.request)


async def test_a_file_of_ones_own_stands_in_the_request(inspector):
    """A file's id is replaced by the file: name, bytes, and the tags under which it came."""
    inbound, request = await carried(Carriers(Files(tags=frozenset({"health"}))), inspector, asking(NAMED))
    assert inbound.request is request
    assert inbound.tags == {"public", "health"}
    assert inbound.size >= len(PDF)
    (message,) = request.document["messages"]
    assert message["content"][1]["file"] == {
        "filename": "report.pdf",
        "file_data": data_url("application/pdf", PDF),
    }


async def test_a_picture_by_its_id_is_a_picture(inspector):
    """What the bytes say is a picture becomes a part that models which see can take."""
    _, request = await carried(Carriers(Files(PHOTO, "photo.png")), inspector, asking(NAMED))
    assert request.media == {Media.IMAGE}
    assert request.messages[0].parts[1].source == data_url("image/png", PHOTO)


@pytest.mark.parametrize(
    ("carriers", "key", "part", "error"),
    [
        (Carriers(Files()), "ben", NAMED, NotFound),
        (Carriers(Files()), "ana", {"type": "file", "file": {"file_id": "file-2"}}, NotFound),
        (Carriers(), "ana", NAMED, BadRequest),
        (Carriers(Files(), most_bytes=10), "ana", NAMED, TooLarge),
        (Carriers(Files(), Web()), "ana", {"type": "file", "file": {"file_url": "https://o.example/a"}}, BadRequest),
        (Carriers(), "ana", {"type": "file", "file": {"file_url": "https://files.example/a"}}, BadRequest),
    ],
    ids=["another key's", "unknown", "no store", "too large", "another host", "no client"],
)  # fmt: skip
async def test_what_cannot_be_had_is_an_error_with_its_place(inspector, carriers, key, part, error):
    """Another key's file is not there; the error names the field."""
    with pytest.raises(error) as caught:
        await carried(carriers, inspector, asking(part), key)
    assert isinstance(caught.value, AduanaError)
    if error is not TooLarge:
        assert caught.value.param.startswith("messages[0].content[1].file")


async def test_an_address_of_a_named_host_is_fetched_once(inspector):
    """A picture's address is replaced by the picture; other addresses stay as they are."""
    web = Web()
    other = {"type": "image_url", "image_url": {"url": "https://other.example/b.png"}}
    fetched = {"type": "image_url", "image_url": {"url": "https://files.example/a.png", "detail": "low"}}
    file = {"type": "file", "file": {"filename": "c.png", "file_data": "https://files.example/c"}}
    _, request = await carried(Carriers(None, web), inspector, asking(fetched, other, file))
    assert web.asked == ["https://files.example/a.png", "https://files.example/c"]
    content = request.document["messages"][0]["content"]
    assert content[1]["image_url"] == {"url": data_url("image/png", PHOTO), "detail": "low"}
    assert content[2]["image_url"]["url"] == "https://other.example/b.png"
    assert content[3] == {"type": "image_url", "image_url": {"url": data_url("image/png", PHOTO)}}


async def test_a_request_without_names_is_left_alone(inspector):
    """Nothing is copied or parsed again where nothing is put in."""
    inbound = World(inspector).inbound(asking(file_part(PDF)), key="ana")
    assert await Carriers(Files()).carried(inbound, inbound.request) == (inbound, inbound.request)


async def test_what_is_put_in_is_inspected(inspector):
    """A stored file with an account in it stays at home; the answer's target gets the file itself."""
    reader = FakeReader({PDF: pages("Pay to ES91 2100 0418 4502 0005 1332.")})
    world = World(inspector, reader=reader, carriers=Carriers(Files()))
    explanation = await world.explained(asking(NAMED), key="ana")
    assert any("financial.iban" in step for step in explanation.label_steps)
    assert not await world.leaves(asking(NAMED), key="ana")
    (request,) = world.house.home.asked
    assert base64.b64encode(PDF) in encode(request.document)


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://pictures.example/a.png", True),
        ("HTTP://pictures.example/a.png", True),
        ("http://8.8.8.8/a.png", True),
        (" https://pictures.example/a.png", True),
        ("\u00a0\x0bht\ntps:\t//pictures.example/a.png", True),
        ("ftp://pictures.example/a.png", True),
        ("http:\\\\pictures.example/a.png", True),
        ("http://pictures.example\\@192.168.1.20/a.png", True),
        ("http://192.168.1.20@pictures.example/a.png", True),
        ("http://192.168.1.20:5000/snapshot.jpg", False),
        ("http://localhost:5000/snapshot.jpg", False),
    ],
)
@pytest.mark.parametrize("kind", ["image_url", "video_url"])
async def test_a_server_at_home_is_not_made_to_ask_for_an_address(inspector, kind, url, refused):
    """An address that leads out is refused with the reason, however it is spelled; one of the house's own is not."""
    world = World(inspector)
    body = asking({"type": kind, kind: {"url": url}}, text="See https://words.example/page.")
    if refused:
        with pytest.raises(BadRequest, match="by its address"):
            await world.leaves(body)
        assert not world.house.home.asked
    else:
        assert not await world.leaves(body)
        assert world.house.home.asked
