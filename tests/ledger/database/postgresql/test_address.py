"""The database's address, and that nobody reads the password in it."""

import pytest

from gateway.core.errors import ConfigurationError, LedgerUnavailable
from gateway.core.secret import Secret
from gateway.ledger.database.places import shared_database
from gateway.ledger.database.postgresql import Address

SECRET = "h0rse-battery"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"postgresql://aduana:{SECRET}@db.example:5433/records?sslmode=verify-full", "db.example:5433/records"),
        (f"postgresql://aduana:{SECRET}@db.example/records", "db.example/records"),
        (f"postgresql://aduana@/records?host=/run/postgresql&password={SECRET}", "/run/postgresql/records"),
    ],
)
def test_it_shows_where_the_database_is(text: str, shown: str) -> None:
    """Host, port and name are told; the password goes to the server alone."""
    address = Address(text)
    assert address.shown == shown
    assert SECRET in address.conninfo
    assert SECRET not in address.scrubbed(f'connection failed for "{SECRET}"')


def test_a_password_of_its_own() -> None:
    """It takes the place of the one in the address."""
    assert "other" in Address(f"postgresql://aduana:{SECRET}@db/records", "other").conninfo
    assert SECRET not in Address(f"postgresql://aduana:{SECRET}@db/records", "other").conninfo


def test_of_several_hosts_none_is_asked_that_only_follows() -> None:
    """A standby may not have yet what was remembered a moment ago; whoever wants one names it."""
    assert "target_session_attrs=read-write" in Address("postgresql://aduana@one,two/records").conninfo
    assert "read-write" not in Address("postgresql://aduana@one/records").conninfo
    assert "read-write" not in Address("postgresql://a@one,two/records?target_session_attrs=any").conninfo


@pytest.mark.parametrize("text", [f"postgresql://aduana:{SECRET}%zz@db/records", f"host={SECRET}' x", f"{SECRET}"])
def test_what_is_no_address_is_not_repeated(text: str) -> None:
    """libpq's own message quotes what it could not read; ours does not."""
    with pytest.raises(ConfigurationError, match="can't be read") as caught:
        Address(text)
    assert SECRET not in str(caught.value)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    """The message says which one, and what to look at."""
    database = shared_database(Secret(f"postgresql://aduana:{SECRET}@127.0.0.1:1/records"))
    with pytest.raises(database.failures) as caught:
        database.connect()
    told = database.describe(caught.value)
    assert "127.0.0.1:1/records" in told
    assert "can't be reached" in told
    assert SECRET not in told
    with pytest.raises(LedgerUnavailable, match="can't be reached"):
        database.connect()  # at once, without asking again
