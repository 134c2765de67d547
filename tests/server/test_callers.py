"""Who asks, by whatever a request brings: keys, tokens and what front ends say."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.accounts.front_end import FrontEnd, FrontEndSettings
from gateway.accounts.groups import Groups
from gateway.accounts.published_keys import Pace, PublishedKeys
from gateway.accounts.users import Provider, ProviderSettings, Users
from gateway.core.errors import Unauthorized
from gateway.core.request import Caller
from gateway.server.auth import KeyRing
from gateway.server.callers import Callers
from tests.standins.identity_provider import AUDIENCE, ISSUER, key_document, token_of

NOBODY = Caller()


async def callers(*, providers: bool) -> Callers:
    """Return those who may ask where requests without a key are answered and there are no keys."""

    async def read() -> bytes:
        return key_document("rsa-1")

    keys = PublishedKeys("auth", read, Pace(every=1, retry=1, apart=0, longest=60))
    await keys.renew()
    settings = ProviderSettings(name="auth", issuer=ISSUER, audiences=(AUDIENCE,), algorithms=("RS256",))
    people = Users(
        providers=[Provider(settings, keys)] if providers else [],
        front_end=FrontEnd(FrontEndSettings()),
        groups=Groups({}),
        key=b"k" * 32,
    )
    return Callers(KeyRing({}, anonymous=NOBODY), people)


def headers(**pairs: str) -> CIMultiDictProxy[str]:
    """Return headers as aiohttp gives them; `_` stands for `-`."""
    return CIMultiDictProxy(CIMultiDict([(name.replace("_", "-"), value) for name, value in pairs.items()]))


@pytest.mark.parametrize(
    "credential", ["opaque", "eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn", "eyJ9.eyJ9.x" + "y" * 20_000]
)
@pytest.mark.parametrize("header", ["Authorization", "x_api_key", "x_aduana_key"])
async def test_beside_providers_a_credential_that_nobody_knows_is_refused(header: str, credential: str) -> None:
    """Whoever signs in and is not understood is told so, and not answered as nobody, without a group's tags."""
    asked = await callers(providers=True)
    with pytest.raises(Unauthorized):
        asked.caller(headers(**{header: credential}))
    assert asked.caller(headers()) is NOBODY
    assert asked.caller(headers(Authorization=f"Bearer {token_of('ana')}")).user == "ana"


async def test_without_keys_and_providers_whatever_apps_send_is_nobodys_secret() -> None:
    """Apps insist on sending some key."""
    assert (await callers(providers=False)).caller(headers(Authorization="Bearer none")) is NOBODY
