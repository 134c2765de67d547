"""Sending of the audit's requests, and judging from what the recorders kept whether something left."""

import http.client
import json
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from gateway.cli.audit.cases import AuditCase
from gateway.cli.audit.gateway import Running
from gateway.cli.audit.recorder import Recorder
from gateway.core.document import freeze, strings

_SECONDS = 60.0
_AT_ONCE = 4


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Where one request went: `cloud`, `cloud, without it` (masked or left out), `home` or `nowhere`."""

    case: AuditCase
    status: int  # 0: no answer
    where: str
    leak: bool


class AuditClient:
    """Client of one gateway with its recorders.

    Where it is `strict`, a canary's marker in the cloud is a leak, whatever else arrived.
    """

    def __init__(self, gateway: Running, cloud: Recorder, home: Recorder, *, strict: bool = True) -> None:
        self.gateway = gateway
        self.cloud = cloud
        self.home = home
        self._strict = strict

    def ask(self, cases: Iterable[AuditCase]) -> list[Result]:
        """Send several requests at once, and return the results in the order of the cases."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._one, cases))

    def send(self, case: AuditCase) -> int:
        """Send a request, and return the answer's status; 0 where there is no answer."""
        address = urlsplit(self.gateway.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_SECONDS)
        try:
            connection.request("POST", case.path, json.dumps(case.body), self._headers(case))
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def leave(self, case: AuditCase, *, after: int = 0, seconds: float = 1.5) -> str:
        """Ask, go away `after` so many bytes or when none came for that time, and return what came."""
        address = urlsplit(self.gateway.url)
        body = json.dumps(case.body).encode()
        lines = [f"POST {case.path} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self._headers(case).items()]
        came = b""
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=seconds) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            with suppress(TimeoutError):
                while len(came) < max(after, 1) and (piece := connection.recv(4096)):
                    came += piece
        return came.decode("utf-8", "replace")

    def judge(self, case: AuditCase, status: int) -> Result:
        """Judge from what the recorders kept where a request went."""
        arrived = self.cloud.bodies(case.marker)
        if arrived:
            held = any(_holds(body, case.values) for body in arrived)
            leak = case.sensitive and (held or (self._strict and not case.left_out))
            return Result(
                case=case, status=status, where="cloud" if held or not case.values else "cloud, without it", leak=leak
            )
        return Result(
            case=case, status=status, where="home" if self.home.bodies(case.marker) else "nowhere", leak=False
        )

    def _one(self, case: AuditCase) -> Result:
        return self.judge(case, self.send(case))

    def _headers(self, case: AuditCase) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.gateway.key}",
            "anthropic-version": "2023-06-01",
            **dict(case.headers),
        }


def _holds(body: bytes, values: tuple[str, ...]) -> bool:
    """Return whether any form of a value stands in any string of the body, or in its bytes."""
    raw = body.decode("utf-8", "replace")
    try:
        texts = [text for _, text in strings(freeze(json.loads(body)))]
    except ValueError:
        texts = []
    forms = {form for value in values for form in (value, json.dumps(value)[1:-1])}
    return any(form in text for form in forms for text in (raw, *texts))
