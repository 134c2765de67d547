"""What stands for a user in the record."""

import pytest

from gateway.accounts.names import UserNames, UserRecord, pseudonym

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_pseudonym_is_the_same_each_time_and_only_for_its_key() -> None:
    """Whoever has the key and the name finds the rows; another key or name gives another pseudonym."""
    assert pseudonym("ana@example.org", KEY) == pseudonym("ana@example.org", KEY)
    assert len({pseudonym(name, key) for name in ("ana", "ben") for key in (KEY, OTHER)}) == 4
    assert "ana" not in pseudonym("ana@example.org", KEY)


@pytest.mark.parametrize(
    ("record", "written"),
    [(UserRecord.PLAIN, "ana"), (UserRecord.PSEUDONYM, pseudonym("ana", KEY)), (UserRecord.NONE, None)],
)
def test_a_user_is_written_down_as_the_owner_wants(record: UserRecord, written: str | None) -> None:
    """By name, by pseudonym or not at all; who has no name never gets one."""
    names = UserNames(record, KEY)
    assert names.recorded("ana") == written
    assert names.recorded(None) is None
