"""What PostgreSQL's errors mean for the ledger, by their SQLSTATE. Pure."""

import psycopg
from psycopg import errors

_OWN = (ValueError, OverflowError, TypeError, psycopg.IntegrityError, psycopg.DataError, errors.ProgramLimitExceeded)
_ADVICE: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((errors.InvalidPassword, errors.InvalidAuthorizationSpecification), "Check the user and the password."),
    ((errors.InvalidCatalogName,), "Make the database: createdb."),
    ((errors.InsufficientPrivilege,), "Let its user make and change tables: GRANT ALL ON SCHEMA … TO …."),
    ((errors.ReadOnlySqlTransaction,), "It is a standby: name the primary."),
    ((errors.DiskFull, errors.OutOfMemory), "Make room on its machine."),
    ((errors.TooManyConnections,), "Allow more connections (max_connections)."),
    ((errors.LockNotAvailable,), "Other gateways write for so long, or another program holds it: look in pg_locks."),
)


def unfit(error: Exception) -> bool:
    """Return whether it is one record's own fault: a value that does not fit, or can't be sent."""
    if isinstance(error, psycopg.ProgrammingError):
        return error.sqlstate is None  # psycopg's own: it does not know what to make of a value
    return isinstance(error, _OWN)


def too_long(error: Exception) -> bool:
    """Return whether a statement was given up because it took too long."""
    return isinstance(error, errors.QueryCanceled)


def sentence(error: Exception, name: str) -> str:
    """Say what went wrong and what to do."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        advice = next((advice for words, advice in _UNREACHED if words in text), "Check that it runs, and its address.")
        return f"{name} can't be reached: {text}. {advice}"
    for kinds, advice in _ADVICE:
        if isinstance(error, kinds):
            return f"{name} can't be used: {text}. {advice}"
    return f"{name} failed: {text}."


# A server's answer to a connection comes without an SQLSTATE, in the server's language.
_UNREACHED = (
    ("password", "Check the user and the password."),
    ("does not exist", "Make the user and the database: createuser, createdb."),
    ("too many", "Allow more connections (max_connections)."),
)
