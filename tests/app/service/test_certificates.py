"""HTTPS by the gateway itself: shown as configured, renewed while it runs, and nothing shown that does not fit."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509

from gateway.app.service.certificates import Certificate
from gateway.cli import main
from gateway.core.errors import ConfigurationError
from tests.standins.certificates import Authority
from tests.standins.gateway import RunningGateway

CONFIG = """
server:
  tls:
    certificate: cert.pem
    key: key.pem
targets: {den: {kind: openai, zone: local, base_url: "http://127.0.0.1:9/v1", model: m}}
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return an authority that has signed `cert.pem`, with `key.pem` beside it."""
    authority = Authority(tmp_path)
    authority.write(tmp_path / "cert.pem", tmp_path / "key.pem")
    return authority


def trusting(authority: Authority) -> ssl.SSLContext:
    """Return what a client of this authority sets."""
    return ssl.create_default_context(cafile=str(authority.file))


async def shown(url: str, context: ssl.SSLContext) -> int:
    """Return the number of the certificate that a new connection is shown."""
    port = int(url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(found).serial_number


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(60):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.2)


async def test_it_is_shown_and_renewed(tmp_path: Path, authority: Authority) -> None:
    """Clients verify it; a renewed one is shown to new connections, old ones go on; a bad one changes nothing."""
    context = trusting(authority)
    async with (
        RunningGateway(tmp_path, CONFIG) as gateway,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
    ):
        assert gateway.url.startswith("https://127.0.0.1:")
        async with session.get(gateway.url + "/healthz") as answer:
            assert answer.status == 200
            assert answer.version == aiohttp.HttpVersion11
        with pytest.raises(aiohttp.ClientError):
            await session.get(gateway.url.replace("https", "http") + "/healthz")
        number = authority.write(tmp_path / "cert.pem", tmp_path / "key.pem")

        async def renewed() -> bool:
            return await shown(gateway.url, context) == number

        await until(renewed)
        async with session.get(gateway.url + "/healthz") as answer:  # on the connection from before
            assert answer.status == 200
        authority.write(tmp_path / "cert.pem", tmp_path / "another.pem")

        async def told() -> bool:
            async with session.get(gateway.url + "/readyz") as answer:
                return "certificate_problem" in await answer.json()

        await until(told)
        assert await renewed()
    assert "is not the key of" in gateway.log


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_old_versions_of_tls_are_refused(tmp_path: Path, authority: Authority) -> None:
    """A client that speaks TLS 1.1 at most gets no connection, one with 1.2 does."""
    certificate = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=certificate.context)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        for version, answers in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
            context = trusting(authority)
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = version
            if answers:
                assert await shown(url, context)
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await shown(url, context)


def _no_key(folder: Path, _: Authority) -> None:
    (folder / "key.pem").unlink()


def _no_certificate(folder: Path, _: Authority) -> None:
    (folder / "cert.pem").write_text("<html>")


def _open_key(folder: Path, _: Authority) -> None:
    (folder / "key.pem").chmod(0o644)


def _other_key(folder: Path, authority: Authority) -> None:
    authority.write(folder / "other.pem", folder / "key.pem")


def _locked_key(folder: Path, authority: Authority) -> None:
    authority.write(folder / "cert.pem", folder / "key.pem", passphrase=b"secret")


def _swapped(folder: Path, _: Authority) -> None:
    (folder / "key.pem").write_bytes((folder / "cert.pem").read_bytes())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_no_key, r"server\.tls\.key: .*key\.pem can't be read: No such file"),
        (_no_certificate, r"server\.tls\.certificate: .*cert\.pem has no certificate in it"),
        (_open_key, r"server\.tls\.key: every user of this machine .* chmod o= '.*key\.pem'"),
        (_other_key, r"server\.tls\.key: .*key\.pem is not the key of .*cert\.pem"),
        (_locked_key, r"server\.tls\.key: .*key\.pem has a passphrase"),
        (_swapped, r"server\.tls\.key: .*key\.pem has no private key in it"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    tmp_path: Path, authority: Authority, spoil: Callable[[Path, Authority], None], says: str
) -> None:
    """The sentence names the setting, the file and what to do."""
    spoil(tmp_path, authority)
    with pytest.raises(ConfigurationError) as caught:
        Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert re.match(says, caught.value.problems[0])


@pytest.mark.parametrize("command", ["serve", "check"])
def test_the_place_in_the_configuration_is_named(
    tmp_path: Path, authority: Authority, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it serves, and in the examination: file, line and column. Paths count from the configuration's folder."""
    _open_key(tmp_path, authority)
    (tmp_path / "aduana.yaml").write_text(f"state_dir: {tmp_path}/state" + CONFIG)
    assert main([command, "--config", str(tmp_path / "aduana.yaml")]) == 2
    assert "aduana.yaml:5:5: server.tls.key: every user" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("days", "says"), [(60, None), (3, "The certificate expires on"), (-0.5, "The certificate has expired on")]
)
def test_its_end_is_told_before(tmp_path: Path, authority: Authority, days: float, says: str | None) -> None:
    """Two weeks before it ends, and behind it, its owner is told to renew it."""
    authority.write(tmp_path / "cert.pem", tmp_path / "key.pem", days=days)
    problem = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem").problem
    assert problem is None if says is None else str(problem).startswith(says)
