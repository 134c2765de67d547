"""Sending of the audit's requests, and judging from what the recorders kept whether something left."""

import http.client
import json
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.cli.audit.cases import AuditCase
from gateway.cli.audit.gateway import Running
from gateway.cli.audit.recorder import Recorder
from gateway.core.document import freeze, strings

_SECONDS = 60.0
_AT_ONCE = 4


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Where one request went: `cloud`, `cloud, without it` (masked or left out), `home`, `nowhere`, or `unknown`."""

    case: AuditCase
    status: int  # 0: no answer
    where: str
    leak: bool


class AuditClient:
    """Client of one gateway with its recorders.

    Where it is `strict`, a canary's marker in the cloud is a leak, whatever else arrived.
    """

    def __init__(self, gateway: Running, cloud: Recorder, home: Recorder) -> None:
        self.gateway = gateway
        self.cloud = cloud
        self.home = home
        self.strict = True

    def ask(self, cases: Iterable[AuditCase], *, at_once: int = _AT_ONCE) -> list[Result]:
        """Send several requests at once, and return the results in the order of the cases."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(self._one, cases))

    def answered(self, case: AuditCase) -> tuple[Result, dict[str, Any]]:
        """Send a request, and return where it went and what was answered; nothing where that is no JSON object."""
        status, body = self._exchange(case)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        return self.judge(case, status), answer if isinstance(answer, dict) else {}

    def send(self, case: AuditCase) -> int:
        """Send a request, and return the answer's status; 0 where there is no answer."""
        return self._exchange(case)[0]

    def _exchange(self, case: AuditCase) -> tuple[int, bytes]:
        address = urlsplit(self.gateway.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SECONDS)
        try:
            body = json.dumps(case.body).encode()
            connection.putrequest("POST", case.path)
            for name, value in self._headers(case, len(body)):
                connection.putheader(name, value.encode())
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """Return a connection to the gateway."""
        address = urlsplit(self.gateway.url)
        return socket.create_connection((address.hostname or "", address.port or 0), timeout=_SECONDS)

    def raw(self, case: AuditCase) -> bytes:
        """Return the bytes of a request as they go over a connection."""
        body = json.dumps(case.body).encode()
        lines = [f"POST {case.path} HTTP/1.1", f"Host: {urlsplit(self.gateway.url).netloc}"]
        lines += [f"{name}: {value}" for name, value in self._headers(case, len(body))]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def leave(self, case: AuditCase, seconds: float) -> None:
        """Ask, and go away when something came or nothing for that time."""
        with self.connect() as connection:
            connection.sendall(self.raw(case))
            connection.settimeout(seconds)
            with suppress(TimeoutError):
                connection.recv(1)

    def judge(self, case: AuditCase, status: int) -> Result:
        """Judge from what the recorders kept where a request went."""
        arrived = self.cloud.bodies(case.marker)
        if arrived:
            held = any(_holds(body, case.values) for body in arrived)
            leak = case.sensitive and (held or (self.strict and not case.left_out))
            return Result(
                case=case, status=status, where="cloud" if held or not case.values else "cloud, without it", leak=leak
            )
        if self.home.bodies(case.marker):
            return Result(case=case, status=status, where="home", leak=False)
        # Answered by whom, if neither has its marker? That counts as the worst.
        lost = status == HTTPStatus.OK and case.sensitive
        return Result(case=case, status=status, where="unknown" if lost else "nowhere", leak=lost)

    def _one(self, case: AuditCase) -> Result:
        return self.judge(case, self.send(case))

    def _headers(self, case: AuditCase, length: int) -> list[tuple[str, str]]:
        own = [
            ("Content-Type", "application/json"),
            ("anthropic-version", "2023-06-01"),
            ("Content-Length", str(length)),
        ]
        if not any(name.lower() == "authorization" for name, _ in case.headers):
            own.append(("Authorization", f"Bearer {self.gateway.key}"))
        return [*own, *case.headers]


def _holds(body: bytes, values: tuple[str, ...]) -> bool:
    """Return whether any form of a value stands in any string of the body, or in its bytes."""
    raw = body.decode("utf-8", "replace")
    try:
        texts = [text for _, text in strings(freeze(json.loads(body)))]
    except ValueError:
        texts = []
    forms = {form for value in values for form in (value, json.dumps(value)[1:-1])}
    return any(form in text for form in forms for text in (raw, *texts))
