"""The rest of the internet: a proxy that refuses every address and remembers which ones a client asked for."""

import asyncio
from urllib.parse import urlsplit


class Elsewhere:
    """`async with Elsewhere() as elsewhere:` then `elsewhere.env()` for a client, and `elsewhere.asked` afterwards."""

    def __init__(self) -> None:
        self.asked: set[str] = set()  # names of machines
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Elsewhere":
        self._server = await asyncio.start_server(self._refuse, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()

    def env(self) -> dict[str, str]:
        """Return the variables that send a client here with all that is not on this machine."""
        assert self._server is not None
        proxy = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        none = "127.0.0.1,localhost"
        return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": none} | {
            "http_proxy": proxy,
            "https_proxy": proxy,
            "no_proxy": none,
        }

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode("latin-1").split()
        if len(words) > 1:
            self.asked.add(urlsplit(f"//{words[1]}" if words[0] == "CONNECT" else words[1]).hostname or "")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
