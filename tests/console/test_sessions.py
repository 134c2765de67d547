"""Sessions: they end by themselves and on request, also for others with the same secret, and nobody makes one up."""

import base64

from gateway.console.sessions import LASTS_SECONDS, Sessions


def test_a_session_lasts_some_hours() -> None:
    """It stands for the key that it began with, until its time is over or it is ended."""
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    first, second = sessions.begin(b"key"), sessions.begin(b"key")
    assert first != second
    assert sessions.key_digest(first) == b"key"
    sessions.end(first)
    assert sessions.key_digest(first) is None
    assert sessions.key_digest(second) == b"key"
    now[0] = LASTS_SECONDS + 1
    assert sessions.key_digest(second) is None
    assert second not in repr(vars(sessions))


def test_nobody_makes_up_a_session() -> None:
    """A cookie of another start, one that was changed, and what is none stand for nobody."""
    sessions = Sessions(clock=lambda: 0.0)
    name = sessions.begin(b"guest")
    changed = base64.urlsafe_b64encode(base64.urlsafe_b64decode(name).replace(b"guest", b"owner")).decode()
    for other in ("", "x", "é", "a" * 200, name[:-4], changed, Sessions(clock=lambda: 0.0).begin(b"guest")):
        assert sessions.key_digest(other) is None
        sessions.end(other)
    assert sessions.key_digest(name) == b"guest"


def test_workers_of_one_gateway_know_each_others_sessions() -> None:
    """What begins at one counts at all, what ends at one ends at all: also at one that begins later."""
    secret, told = bytes(range(32)), []
    one = Sessions(secret=secret, tell_ended=told.append, clock=lambda: 0.0)
    two = Sessions(secret=secret, clock=lambda: 0.0)
    name, other = one.begin(b"key"), one.begin(b"key")
    assert two.key_digest(name) == b"key"
    one.end(name)
    assert told == [name]
    two.ended(name)
    late = Sessions(secret=secret, ended=told, clock=lambda: 0.0)
    assert [each.key_digest(name) for each in (one, two, late)] == [None, None, None]
    assert [each.key_digest(other) for each in (one, two, late)] == [b"key", b"key", b"key"]


def test_nobody_signs_others_out_or_fills_the_memory_by_signing_out() -> None:
    """Whoever ends hundreds of sessions of one key ends the older ones of that key, and no other's."""
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    owner, guest = sessions.begin(b"owner"), sessions.begin(b"guest")
    ended = []
    for _ in range(300):
        now[0] += 1
        ended.append(sessions.begin(b"guest"))
        sessions.end(ended[-1])
    assert sessions.key_digest(owner) == b"owner"
    assert {sessions.key_digest(name) for name in (guest, *ended)} == {None}
    now[0] += 1
    assert sessions.key_digest(sessions.begin(b"guest")) == b"guest"
