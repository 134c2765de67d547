"""Who the person behind a request is: by a provider's token, and by what a front end says."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.accounts.front_end import FrontEnd, FrontEndSettings
from gateway.accounts.groups import Group, Groups
from gateway.accounts.key_documents import KeyFile
from gateway.accounts.published_keys import Pace, PublishedKeys
from gateway.accounts.token import InvalidToken
from gateway.accounts.users import Provider, ProviderSettings, Users
from gateway.core.errors import AduanaError, Forbidden, Unauthorized, Unavailable
from gateway.core.request import Caller
from gateway.core.secret import Secret
from tests.standins.identity_provider import AUDIENCE, ISSUER, key_document, shared, token_of

SECRET = "s" * 32
KEY = b"k" * 32
PLAIN = FrontEndSettings()
SIGNED = FrontEndSettings(secret=Secret(SECRET))
DOOR = Caller(key="webui", front_end=True, tags=frozenset({"office"}), models=frozenset({"home", "big"}))
DESK = Caller(key="desk", user="desk-owner")
GROUPS = {
    "user": Group(tags=frozenset({"staff"}), models=frozenset({"home", "small"})),
    "admin": Group(admin=True),
}
JWT = "X-OpenWebUI-User-Jwt"


def headers(**pairs: str) -> CIMultiDictProxy[str]:
    """Return headers as aiohttp gives them; `_` stands for `-`."""
    return CIMultiDictProxy(CIMultiDict([(name.replace("_", "-"), value) for name, value in pairs.items()]))


def users(front_end: FrontEndSettings = PLAIN, groups: dict[str, Group] | None = None) -> Users:
    """Return those who know people of front ends alone."""
    return Users(front_end=FrontEnd(front_end), groups=Groups(groups or {}), key=KEY)


async def provider(folder: Path, document: bytes | None = None, algorithms: tuple[str, ...] = ("RS256",)) -> Users:
    """Return those who know one provider, whose keys were read once."""
    path = folder / "jwks.json"
    path.write_bytes(key_document("rsa-1", "ec-1") if document is None else document)
    keys = PublishedKeys("auth", KeyFile(path).read, Pace(every=1, retry=1, apart=0, longest=60))
    await keys.renew()
    settings = ProviderSettings(name="auth", issuer=ISSUER, audiences=(AUDIENCE,), algorithms=algorithms)
    return Users(providers=[Provider(settings, keys)], front_end=FrontEnd(PLAIN), groups=Groups(GROUPS), key=KEY)


def webui(name: str = "ana@example.org", role: str = "user", **changed: object) -> str:
    """Return the token that Open WebUI sends for a user."""
    now = int(time.time())
    claims = {
        "sub": "8f0c", "email": name, "name": "Ana", "role": role, "iss": "open-webui", "iat": now, "exp": now + 300,
    }  # fmt: skip
    return shared({**claims, **changed}, SECRET)


def test_plain_headers_count_from_a_front_end_alone() -> None:
    """The same headers and the same field `user` name a user for a front end's key, and for no other."""
    said = headers(X_OpenWebUI_User_Email="ana@example.org", X_OpenWebUI_User_Role="user")
    body = {"user": "ben"}
    known = users(groups=GROUPS)
    for caller in (DESK, Caller()):
        assert known.of_front_end(caller, said) is caller
        assert known.of_body(caller, body) is caller
    ana = known.of_front_end(DOOR, said)
    assert (ana.key, ana.user, ana.tags, ana.models) == ("webui", "ana@example.org", {"office", "staff"}, {"home"})
    assert ana.owner not in (DOOR.owner, known.of_front_end(DOOR, headers()).owner)
    assert known.of_body(ana, body) is ana, "a header counts before a body"


def test_a_body_names_a_user_and_opens_nothing_that_is_kept() -> None:
    """The field `user` stands in the record; what is stored stays the key's, for reading it again has no body."""
    ben = users().of_body(DOOR, {"user": " ben "})
    assert (ben.user, ben.account, ben.owner) == ("ben", "", "webui")
    for other in (7, "", {"id": "x"}, None, "a\nb"):
        assert users().of_body(DOOR, {"user": other}) is DOOR
    for settings in (SIGNED, FrontEndSettings(required=True)):
        assert users(settings).of_body(DOOR, {"user": "ben"}) is DOOR


def test_a_signed_header_counts() -> None:
    """Open WebUI's token names its user and role; by id where the owner wants it so."""
    ana = users(SIGNED, GROUPS).of_front_end(DOOR, headers(**{JWT: webui()}))
    assert (ana.user, ana.tags) == ("ana@example.org", {"office", "staff"})
    by_id = FrontEndSettings(secret=Secret(SECRET), claim="sub")
    assert users(by_id).of_front_end(DOOR, headers(**{JWT: webui()})).user == "8f0c"


@pytest.mark.parametrize(
    "token",
    [
        lambda: webui(exp=int(time.time()) - 3600),
        lambda: webui(iss="somebody"),
        lambda: webui(email=""),
        lambda: shared({"email": "ana@example.org", "iss": "open-webui", "exp": time.time() + 60}, "another" * 8),
        lambda: token_of("ana@example.org"),
        lambda: "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFuYSJ9.",
        lambda: "ana@example.org",
    ],
    ids=["expired", "another issuer", "no name", "forged", "another algorithm", "unsigned", "plain"],
)
def test_a_signed_header_that_does_not_count_is_refused(token: Callable[[], str]) -> None:
    """It is 401, not a request without a user; nothing of the token is told."""
    with pytest.raises(InvalidToken) as caught:
        users(SIGNED).of_front_end(DOOR, headers(**{JWT: token()}))
    assert caught.value.status == 401
    assert "ana@" not in caught.value.message


def test_where_tokens_are_signed_plain_words_count_for_nothing() -> None:
    """Whoever has the front end's key alone names nobody; where a user is required, that is refused."""
    said = headers(X_OpenWebUI_User_Email="boss@example.org")
    assert users(SIGNED).of_front_end(DOOR, said) is DOOR
    strict = FrontEndSettings(secret=Secret(SECRET), required=True)
    with pytest.raises(Unauthorized, match="User-Jwt"):
        users(strict).of_front_end(DOOR, said)
    with pytest.raises(Unauthorized, match="User-Email"):
        users(FrontEndSettings(required=True)).of_front_end(DOOR, headers())
    twice = CIMultiDictProxy(CIMultiDict([("X-OpenWebUI-User-Email", "a"), ("X-OpenWebUI-User-Email", "b")]))
    with pytest.raises(Unauthorized, match="twice"):
        users().of_front_end(DOOR, twice)


def test_through_a_front_end_nobody_administers_and_nobody_gets_more_than_its_key() -> None:
    """A role of administrators gives no rights of theirs, and models of a group never go beyond the key's."""
    boss = users(SIGNED, GROUPS).of_front_end(DOOR, headers(**{JWT: webui(role="admin")}))
    assert not boss.admin
    assert boss.models == DOOR.models
    with pytest.raises(Forbidden):
        users(SIGNED, GROUPS).of_front_end(DOOR, headers(**{JWT: webui(role="pending")}))


async def test_a_token_of_a_provider_is_somebody(tmp_path: Path) -> None:
    """User, groups and rights come from it; its provider stands where a key would, and two users own two things."""
    known = await provider(tmp_path)
    ana, boss = known.of_token(token_of("ana", ("user",))), known.of_token(token_of("boss", ("admin",)))
    assert (ana.key, ana.user, ana.tags, ana.models, ana.admin) == ("auth", "ana", {"staff"}, {"home", "small"}, False)
    assert boss.admin
    assert ana.owner != boss.owner
    assert ana.owner == known.of_token(token_of("ana", ("user", "admin"))).owner
    with pytest.raises(Forbidden):
        known.of_token(token_of("ana", ("strangers",)))


async def test_tokens_that_do_not_count_are_refused(tmp_path: Path) -> None:
    """Forged, of another issuer, by another algorithm, with an unknown key: 401, and what to do."""
    known = await provider(tmp_path)
    for token, told in {
        token_of("ana", signer="rsa-2"): "does not publish",
        token_of("ana", iss="https://evil.example"): "not known here",
        token_of("ana", signer="ec-1"): "accepted: RS256",
        shared({"iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "exp": time.time() + 60}, SECRET): "accepted: RS256",
        token_of("ana", ("user",))[:-8] + "AAAAAAAA": "signature",
    }.items():
        await known.expect(token)
        with pytest.raises(Unauthorized, match=told) as caught:
            known.of_token(token)
        assert caught.value.status == 401
        assert "evil" not in caught.value.message


async def test_without_keys_tokens_wait_and_are_not_believed(tmp_path: Path) -> None:
    """While the provider's keys can't be had its tokens are 503, with a time to come back; the owner is told why."""
    known = await provider(tmp_path, document=b"<html>")
    with pytest.raises(Unavailable) as caught:
        known.of_token(token_of("ana", ("user",)))
    assert caught.value.retry_after
    assert "auth" in known.problems()[0]
    (tmp_path / "jwks.json").write_bytes(key_document("rsa-1"))
    await known.expect(token_of("ana", ("user",)))
    assert known.of_token(token_of("ana", ("user",))).user == "ana"
    assert known.problems() == ()


async def test_nothing_odd_breaks_the_look_at_a_token(tmp_path: Path) -> None:
    """Whatever stands where a token should is refused in words, and getting ready for it raises nothing."""
    known = await provider(tmp_path)
    for text in ("", "x", "eyJ.eyJ.x", "eyJhbGciOiJub25lIn0.eyJpc3MiOiIifQ.", "eyJ" + "A" * 9000 + ".eyJ.A"):
        await known.expect(text)
        assert not known.issued(text)
        with pytest.raises(AduanaError):
            known.of_token(text)
