"""Who may talk to the gateway, and what a request's head may say."""

import base64

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.accounts.keys import KeySecret, StoredKey
from gateway.accounts.secrets import SecretDigest
from gateway.core.errors import AduanaError, BadRequest, ConfigurationError, Forbidden, Unauthorized
from gateway.core.request import Caller
from gateway.core.secret import CredentialForm
from gateway.server.auth import HostGuard, KeyRing
from gateway.server.inbound import parse_tags

TABLET = Caller(key="kids-tablet", tags=frozenset({"kids"}))
DESK = Caller(key="desk")


def headers(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    """Return header pairs as aiohttp gives them."""
    return CIMultiDictProxy(CIMultiDict(pairs))


@pytest.fixture
def ring():
    """Return a key ring with two keys and no anonymous access."""
    return KeyRing({"kids-tablet": ("sk-tablet", TABLET), "desk": ("sk-desk", DESK)}, anonymous=None)


@pytest.mark.parametrize(
    "pair",
    [
        ("Authorization", "Bearer sk-desk"),
        ("authorization", "bearer  sk-desk"),
        ("x-api-key", "sk-desk"),
        ("api-key", "sk-desk"),
        ("Authorization", "Basic " + base64.b64encode(b"anybody:sk-desk").decode()),
    ],
)
def test_a_key_is_found_wherever_clients_put_it(ring, pair):
    """A key counts the same as a Bearer token, as a password, in `x-api-key` and in `api-key`."""
    assert ring.caller(headers(pair)) is DESK


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([], Unauthorized),
        ([("Authorization", "Bearer wrong")], Unauthorized),
        ([("Authorization", "Bearer ")], Unauthorized),
        ([("Authorization", "Basic c2stZGVzaw==")], Unauthorized),
        ([("Authorization", "Bearer sk-desk"), ("x-api-key", "sk-tablet")], BadRequest),
        ([("Authorization", "Bearer sk-desk"), ("Authorization", "Bearer sk-tablet")], BadRequest),
    ],
)
def test_doubtful_credentials_open_nothing(ring, pairs, error):
    """No key, a wrong one, or those of two callers are refused."""
    with pytest.raises(error) as caught:
        ring.caller(headers(*pairs))
    assert "sk-" not in caught.value.message


@pytest.mark.parametrize("others", ["Authorization", "api-key"])
def test_of_two_credentials_the_known_one_counts(ring, others):
    """Apps send several credentials, some of them meant for others: the one that is known here says who asks."""
    assert ring.caller(headers(("x-api-key", "sk-desk"), (others, "Bearer sk-ant-other"))) is DESK
    open_house = KeyRing({}, anonymous=Caller())
    assert open_house.caller(headers(("x-api-key", "one"), (others, "two"))).key == "anonymous"


def test_a_wrong_key_is_refused_also_where_anonymous_may_ask():
    """With keys configured, a wrong key is a mistake to be told, not an anonymous caller."""
    ring = KeyRing({"desk": ("sk-desk", DESK)}, anonymous=Caller())
    assert ring.caller(headers()).key == "anonymous"
    with pytest.raises(Unauthorized):
        ring.caller(headers(("Authorization", "Bearer wrong")))


def test_without_any_keys_whatever_an_app_sends_is_accepted():
    """Where no keys are configured, a key that an app insists on sending does no harm."""
    ring = KeyRing({}, anonymous=Caller())
    assert ring.caller(headers(("Authorization", "Bearer unused"))).key == "anonymous"


NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC
DIGEST = SecretDigest(b"k" * 32)


def stored(name: str, **secrets: float | None) -> StoredKey:
    """Return a key with these secrets, each with the time at which another took its place."""
    made = [KeySecret(digest=DIGEST.of(secret), created_at=1.0, ends_at=end) for secret, end in secrets.items()]
    return StoredKey(name=name, created_at=1.0, secrets=tuple(made))


@pytest.mark.parametrize(
    ("changes", "sent", "code"),
    [
        ({}, "new", None),
        ({}, "old", None),
        ({}, "older", "key_revoked"),
        ({"expires_at": NOON + 1}, "new", None),
        ({"expires_at": NOON}, "new", "key_expired"),
        ({"revoked_at": NOON - 1}, "new", "key_revoked"),
        ({"revoked_at": NOON - 1}, "else", "invalid_api_key"),
        ({}, "adu_cut", "invalid_api_key"),
    ],
)
@pytest.mark.parametrize("header", ["x-api-key", "x-aduana-key"])
def test_keys_that_commands_made_count_until_their_end(header, changes, sent, code):
    """Both secrets of a rotated key count in its overlap; what ended a key or a secret is said, whatever the header."""
    key = msgspec.structs.replace(stored("n8n", new=None, old=NOON + 60, older=NOON - 60), **changes)
    ring = KeyRing({}, anonymous=None, stored=[key], digest=DIGEST, wall=lambda: NOON)
    if code is None:
        assert ring.caller(headers((header, sent))).key == "n8n"
        assert ring.named("n8n") is not None
        return
    with pytest.raises(Unauthorized) as caught:
        ring.caller(headers((header, sent)))
    assert caught.value.code == code
    assert ring.digest_of(sent) is None


def test_an_ended_key_beside_one_that_counts_does_no_harm():
    """An app that still sends its old key in another header is answered by the new one."""
    gone = msgspec.structs.replace(stored("gone", old=None), revoked_at=1.0)
    ring = KeyRing({}, anonymous=None, stored=[gone, stored("n8n", new=None)], digest=DIGEST, wall=lambda: NOON)
    assert ring.caller(headers(("x-api-key", "old"), ("authorization", "Bearer new"))).key == "n8n"


def test_a_secret_of_a_configured_key_is_no_other_keys():
    """A key that a command made and one of the configuration can't have one secret."""
    with pytest.raises(ConfigurationError, match="same secret"):
        KeyRing({"desk": ("new", DESK)}, anonymous=None, stored=[stored("n8n", new=None)], digest=DIGEST)


def checked(host_guard: HostGuard, *pairs: tuple[str, str]) -> AduanaError | None:
    """Return the error for a request with these headers, if any."""
    try:
        host_guard.check(make_mocked_request("POST", "/v1/chat/completions", headers=CIMultiDict(pairs)))
    except AduanaError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([("Host", "127.0.0.1:8484")], None),
        ([("Host", "localhost:8484")], None),
        ([("Host", "[::1]:8484")], None),
        ([("Host", "nas.lan:8484")], None),
        ([("Host", "evil.example")], Forbidden),
        ([("Host", "localhost.evil.example:8484")], Forbidden),
        ([("Host", "")], Forbidden),
        ([], Forbidden),
        ([("Host", "localhost:8484"), ("Origin", "http://localhost:8484")], None),
        ([("Host", "localhost:8484"), ("Origin", "https://chat.lan")], None),
        ([("Host", "localhost:8484"), ("Origin", "https://evil.example")], Forbidden),
        ([("Host", "localhost:8484"), ("Origin", "null")], Forbidden),
        ([("Host", "localhost:8484"), ("Origin", "http://[")], Forbidden),
        ([("Host", "localhost:8484"), ("Origin", "http://a\u2100b")], Forbidden),
        ([("Host", "localhost:8484"), ("x-aduana-tag", "health")], BadRequest),
        ([("Host", "localhost:8484"), ("x-aduana-explain", "1"), ("x-aduana-explain", "0")], BadRequest),
        ([("Host", "localhost:8484"), ("Host", "localhost:8484")], BadRequest),
        ([("Host", "localhost"), ("x-aduana-tags", "health"), ("x-aduana-tags", "public")], BadRequest),
    ],
)
def test_hosts_and_origins(pairs, error):
    """Requests for other hosts and from other people's web pages are refused: against DNS rebinding."""
    host_guard = HostGuard(host="127.0.0.1", allowed_hosts=["nas.lan"], allowed_origins=["https://chat.lan/"])
    found = checked(host_guard, *pairs)
    assert found is None if error is None else isinstance(found, error)


def test_a_tag_that_cannot_be_read_is_an_error():
    """A tag that would be dropped in silence might have been the one that protects."""
    assert parse_tags(" Health , client-acme,") == {"health", "client-acme"}
    assert parse_tags(None) == frozenset()
    for bad in ("heal th", "health;secret", "ñ", "a" * 65, ",".join(f"t{i}" for i in range(33))):
        with pytest.raises(BadRequest):
            parse_tags(bad)


@pytest.mark.parametrize(
    ("authorization", "accepts"),
    [
        ("Basic " + base64.b64encode(b"me:sk-desk").decode(), True),
        ("Bearer sk-desk", True),
        ("Basic " + base64.b64encode(b"me:wrong").decode(), False),
        ("Basic " + base64.b64encode(b"sk-desk").decode(), False),
        ("Basic ???", False),
        ("Basic", False),
        ("", False),
    ],
)
def test_a_browser_opens_the_page_with_a_key_as_password(ring, authorization, accepts):
    """Basic credentials take any user name, with an API key as the password."""
    assert ring.accepts(authorization) is accepts


@pytest.mark.parametrize("byte", range(0x80, 0x100))
@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key"])
def test_credentials_of_odd_bytes_are_a_wrong_key(ring, byte, name):
    """Bytes that are no UTF-8 in a credential are a wrong key like any other."""
    for raw in (bytes([byte]), b"Bearer \xc3" + bytes([byte]), b"sk-desk" + bytes([byte])):
        pair = (name, raw.decode("utf-8", "surrogateescape"))  # as aiohttp gives them
        with pytest.raises(Unauthorized):
            ring.caller(headers(pair))
        assert ring.accepts(pair[1]) is False
        assert ring.accepts("Basic " + base64.b64encode(b"me:" + raw).decode()) is False
        assert ring.accepts("Basic " + pair[1]) is False


def test_two_keys_with_one_secret_are_refused():
    """Two keys with one secret would be one key with somebody's tags: both are named, the secret is not."""
    with pytest.raises(ConfigurationError) as caught:
        KeyRing({"desk": ("sk-1", DESK), "kids-tablet": ("sk-1", TABLET)}, anonymous=None)
    assert "keys.desk and keys.kids-tablet" in caught.value.problems[0]
    assert "sk-1" not in str(caught.value.problems)


OWN, HOUSE = "sk-provider", "sk-desk"
BEARER, API_KEY = ("Authorization", f"Bearer {OWN}"), ("x-api-key", OWN)
BESIDE = ("x-aduana-key", HOUSE)


@pytest.mark.parametrize(
    ("pairs", "forms"),
    [
        ([BEARER, BESIDE], [CredentialForm.BEARER]),
        ([API_KEY, BESIDE], [CredentialForm.API_KEY]),
        ([BEARER, ("x-api-key", "sk-second"), BESIDE], [CredentialForm.BEARER, CredentialForm.API_KEY]),
        ([BEARER], []),
        ([("Authorization", f"Bearer {HOUSE}"), API_KEY], []),
        ([("Authorization", f"Bearer {HOUSE}"), BESIDE], []),
        ([("Authorization", f"Bearer {HOUSE}"), API_KEY, BESIDE], [CredentialForm.API_KEY]),
        ([("api-key", OWN), BESIDE], []),
        ([("Authorization", f"Basic {OWN}"), BESIDE], []),
        ([("Authorization", "Bearer two words"), BESIDE], []),
        ([("x-api-key", "clé"), BESIDE], []),
        ([("x-api-key", "x" * 8193), BESIDE], []),
        ([BESIDE], []),
    ],
)
def test_what_goes_on_to_a_provider_is_never_a_key_of_this_gateway(ring, pairs, forms):
    """A caller's own key counts where ours came in `x-aduana-key`; what could not stand in a header does not."""
    given = ring.provider_credentials(headers(*pairs))
    assert [one.form for one in given] == forms
    assert all(one.secret.reveal() in (OWN, "sk-second") for one in given)


@pytest.mark.parametrize("beside", [[], [("x-aduana-key", "anything")]])
def test_without_keys_a_callers_own_counts(beside):
    """Where this gateway has no keys, whatever an app sends is its provider's; but not what it sends as ours."""
    open_house = KeyRing({}, anonymous=Caller())
    (given,) = open_house.provider_credentials(headers(BEARER, *beside))
    assert (given.form, given.secret.reveal()) == (CredentialForm.BEARER, OWN)
    assert open_house.caller(headers(BEARER, *beside)).key == "anonymous"
    assert open_house.provider_credentials(headers(BEARER, ("x-aduana-key", OWN))) == ()


@pytest.mark.parametrize(
    ("pairs", "who"),
    [([BESIDE], DESK), ([BESIDE, BEARER], DESK), ([("x-aduana-key", "wrong"), ("x-api-key", HOUSE)], None)],
)
def test_a_key_of_this_gateway_in_its_own_header(ring, pairs, who):
    """A key in `x-aduana-key` says who asks, beside any other credential; a wrong one is told in any case."""
    if who is not None:
        assert ring.caller(headers(*pairs)) is who
    else:
        with pytest.raises(Unauthorized, match="x-aduana-key"):
            ring.caller(headers(*pairs))


def test_a_key_is_found_by_its_name_as_long_as_it_is_there():
    """What was begun under a key goes on under its rights of now, and not when the key is gone."""
    assert KeyRing({}, anonymous=None).named("anonymous") is None
    assert KeyRing({}, anonymous=Caller()).named("anonymous") == Caller()
    kept = KeyRing({"ana": ("one", Caller(key="ana"))}, anonymous=None)
    assert kept.named("ana") == Caller(key="ana")
    kept.renew({}, anonymous=None)
    assert kept.named("ana") is None
