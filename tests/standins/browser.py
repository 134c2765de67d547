"""A real browser without a window: headless Chromium, driven by the DevTools protocol.

It keeps what a person would see only in the developer tools: errors of scripts, and what the page's own policy stopped.
"""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """`async with Browser() as browser:`, then `await browser.open(url)`; `browser.complaints` should stay empty."""

    def __init__(self, *, width: int = 1280, height: int = 900, language: str = "en") -> None:
        self.complaints: list[str] = []
        self.loaded: list[str] = []
        self._size = (width, height)
        self._language = language
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()

    async def __aenter__(self) -> "Browser":
        assert PROGRAM is not None
        self._folder = Path(await asyncio.to_thread(tempfile.mkdtemp))
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._folder}",
            f"--lang={self._language}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        address = await asyncio.wait_for(self._address(), 60)
        self._quiet = asyncio.create_task(self._drained())
        self._http = aiohttp.ClientSession()
        async with self._http.get(f"http://{address}/json/list") as answer:
            page = next(one for one in await answer.json() if one["type"] == "page")
        self._socket = await self._http.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.resize(*self._size)
        await self.speak(self._language)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        self._quiet.cancel()
        await self._socket.close()
        await self._http.close()
        self._process.kill()
        await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(60):
            return await future

    async def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Take a window's size (under 600 pixels: a phone's), in light or dark colours."""
        phone = width < 600
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )
        scheme = "dark" if dark else "light"
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def speak(self, language: str) -> None:
        """Send this `Accept-Language` from now on."""
        await self.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})

    async def open(self, url: str) -> None:
        """Go to a page, and wait until everything that it loads is there."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        async with asyncio.timeout(60):
            await self._loaded.wait()

    async def run(self, script: str) -> Any:
        """Run a script in the page, and return its value; a promise is awaited."""
        result = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in result:
            raise AssertionError(result["exceptionDetails"])
        return result["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait until a script's value is true."""
        async with asyncio.timeout(30):
            while not await self.run(f"Boolean({script})"):  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.05)

    async def click(self, selector: str) -> None:
        """Click on an element that leads to another page, and wait until that is there."""
        self._loaded.clear()
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")
        async with asyncio.timeout(60):
            await self._loaded.wait()

    async def text(self) -> str:
        """Return what a reader sees."""
        return " ".join((await self.run("document.body.innerText")).split())

    async def picture(self, file: Path) -> None:
        """Write a picture of the whole page."""
        height = await self.run("Math.min(document.documentElement.scrollHeight, 4000)")
        width = self._size[0] if not (found := await self.run("innerWidth")) else found
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        taken = await self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(taken["data"]))

    async def _address(self) -> str:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            _, found, rest = line.decode("utf-8", "replace").partition("ws://")
            if found:
                return rest.partition("/")[0]
        raise AssertionError("the browser did not start")

    async def _drained(self) -> None:
        assert self._process.stderr is not None
        async for _ in self._process.stderr:
            pass

    async def _read(self) -> None:
        async for message in self._socket:
            event = json.loads(message.data)
            if "id" in event:
                future = self._answers.pop(event["id"])
                if "error" in event:
                    future.set_exception(AssertionError(event["error"]))
                else:
                    future.set_result(event["result"])
                continue
            self._heard(event["method"], event["params"])

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.loaded.append(params["request"]["url"])
            case _:
                pass
