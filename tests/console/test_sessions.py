"""Sessions: they end by themselves, on request, and when there are too many; their names are not kept."""

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
    now[0] = LASTS_SECONDS + 1
    assert sessions.key_digest(second) is None
    assert sessions.key_digest("") is None
    assert second not in repr(vars(sessions))


def test_there_is_room_for_some_hundred() -> None:
    """For one more than that, the oldest ends: nobody fills the memory by signing in."""
    sessions = Sessions(clock=lambda: 0.0)
    begun = [sessions.begin(b"key %d" % number) for number in range(300)]
    assert sessions.key_digest(begun[0]) is None
    assert sessions.key_digest(begun[-1]) == b"key 299"


def test_nobody_signs_others_out_by_signing_in() -> None:
    """Of one key only some sessions count, the newest: those of other keys stay."""
    sessions = Sessions(clock=lambda: 0.0)
    owner = sessions.begin(b"owner")
    begun = [sessions.begin(b"guest") for _ in range(300)]
    assert sessions.key_digest(owner) == b"owner"
    assert [sessions.key_digest(name) is None for name in (begun[0], begun[-20], begun[-1])] == [True, False, False]
