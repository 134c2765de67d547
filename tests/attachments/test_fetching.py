"""Fetching: only from named hosts, only from public addresses, only so much, and led nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web

from gateway.attachments.fetching import FetchSettings, FileFetcher, NotFetched, is_public

PICTURE = b"\x89PNG\r\n\x1a\n" + b"pixels" * 50


@dataclass
class Server:
    """A host that notes who asked for what."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Return its name with its port."""
        return f"localhost:{self.port}"

    def url(self, path: str) -> str:
        """Return an address on it."""
        return f"http://{self.host}{path}"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    """A host with a picture, and with answers that nobody wants."""
    server = Server()

    async def answer(request: web.Request) -> web.StreamResponse:
        server.asked.append(request.path)
        server.headers.append(dict(request.headers))
        match request.path:
            case "/a.png":
                return web.Response(body=PICTURE, content_type="image/png")
            case "/odd":
                return web.Response(body=PICTURE, headers={"Content-Type": 'image/png"; x=<y>'})
            case "/here":
                raise web.HTTPFound("/a.png")
            case "/elsewhere":
                raise web.HTTPFound("http://127.0.0.1/a.png")
            case "/round":
                raise web.HTTPFound("/round")
            case "/large":
                return web.Response(body=b"x" * 5000)
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(b"x" * 1000)
            case "/packed":
                return web.Response(body=PICTURE, headers={"Content-Encoding": "gzip"})
            case "/slow":
                await asyncio.sleep(30)
            case "/empty":
                return web.Response(body=b"")
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    yield server
    await runner.cleanup()


@pytest_asyncio.fixture
async def fetcher(server: Server) -> AsyncIterator[FileFetcher]:
    """A client that may ask the host, as if its address were public."""
    settings = FetchSettings(hosts=(server.host, "*.example.org"), max_bytes=4000, seconds=2.0)
    fetcher = FileFetcher(settings, permitted=lambda address: address in ("127.0.0.1", "::1"))
    yield fetcher
    await fetcher.close()


@pytest.mark.parametrize("path", ["/a.png", "/here"])
async def test_a_file_of_a_named_host_is_fetched(server, fetcher, path):
    """It comes with its bytes and type, also behind a redirect on the same host; nothing else is told."""
    content = await fetcher.fetch(server.url(path), 10_000)
    assert (content.data, content.media_type) == (PICTURE, "image/png")
    assert set(server.headers[0]) <= {"Host", "Accept", "Accept-Encoding", "User-Agent", "Connection"}


async def test_a_type_that_is_none_is_not_handed_on(server, fetcher):
    """What a host calls its content can't be anything but a plain type."""
    assert (await fetcher.fetch(server.url("/odd"), 10_000)).media_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/elsewhere", "another host"),
        ("/round", "from one address to the next"),
        ("/large", "larger than 4000"),
        ("/endless", "larger than 4000"),
        ("/packed", "packs"),
        ("/slow", "in time"),
        ("/empty", "nothing"),
        ("/missing", "404"),
    ],
)
async def test_what_is_no_file_is_an_error_that_says_why(server, fetcher, path, why):
    """A redirect to elsewhere, too much, too slow, packed, empty or missing: the client is told, and nothing more."""
    with pytest.raises(NotFetched, match=why) as caught:
        await fetcher.fetch(server.url(path), 10_000)
    assert caught.value.status == 400
    assert server.host not in caught.value.message


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("https://files.example.org/a.pdf", True),
        ("https://a.b.example.org/a.pdf", True),
        ("https://example.org/a.pdf", False),
        ("https://badexample.org/a.pdf", False),
        ("https://files.example.org:8443/a.pdf", False),
        ("https://user:word@files.example.org/a.pdf", False),
        ("ftp://files.example.org/a.pdf", False),
        ("file:///etc/passwd", False),
        ("https://files.example.org.evil.example/a.pdf", False),
        ("https://[::1/", False),
        ("", False),
    ],
)
async def test_only_named_hosts_are_asked(fetcher, url, covered):
    """A star stands for what is below a host, a port for itself; credentials and other schemes are never covered."""
    assert fetcher.covers(url) is covered
    if not covered:
        with pytest.raises(NotFetched):
            await fetcher.fetch(url, 1000)


async def test_a_named_host_in_a_private_network_is_never_connected(server):
    """Whatever a name resolves to at the moment of the connection, an address of the house is not asked."""
    fetcher = FileFetcher(FetchSettings(hosts=(server.host,)))
    with pytest.raises(NotFetched, match="private network"):
        await fetcher.fetch(server.url("/a.png"), 1000)
    await fetcher.close()
    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
        ("2001::1", False),
        ("::a00:1", False),
        ("ff02::1", False),
        ("not an address", False),
    ],
)
def test_addresses_that_are_nobody_elses(address, public):
    """Loopback, private, link-local, shared, multicast and translated addresses are none of the public Internet's."""
    assert is_public(address) is public
