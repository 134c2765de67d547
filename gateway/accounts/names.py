"""What counts as a user's name, and what stands for it where it need not be: in the record, as owner of what is stored.

The pseudonym is a keyed digest, so that the owner of the state directory finds a person's rows by the name, and whoever
has the rows alone can't try names.
"""

import enum
from hashlib import blake2b

_PERSON = b"aduana-user-1"
_BYTES = 10
_LONGEST_NAME = 200  # characters
PREFIX = "user-"


class UserRecord(enum.StrEnum):
    """How users are written down."""

    PLAIN = "plain"
    PSEUDONYM = "pseudonym"
    NONE = "none"


def checked_name(name: object) -> str | None:
    """Return a user's name without blanks around it; None: it is none, or none that can be shown."""
    if not isinstance(name, str):
        return None
    plain = name.strip()
    return plain if plain and len(plain) <= _LONGEST_NAME and plain.isprintable() else None


def pseudonym(user: str, key: bytes) -> str:
    """Return what stands for a user, the same each time. `key`: the state directory's secret, 32 bytes."""
    digest = blake2b(user.encode("utf-8", "surrogatepass"), key=key, digest_size=_BYTES, person=_PERSON)
    return PREFIX + digest.hexdigest()


class UserNames:
    """Writer of users' names as the owner wants them written down."""

    def __init__(self, record: UserRecord, key: bytes) -> None:
        """Keep how they are written. `key`: the state directory's secret, 32 bytes."""
        self._record = record
        self._key = key

    def recorded(self, user: str | None) -> str | None:
        """Return what may be written down of a user; None: nothing."""
        if user is None or self._record is UserRecord.NONE:
            return None
        return user if self._record is UserRecord.PLAIN else pseudonym(user, self._key)
