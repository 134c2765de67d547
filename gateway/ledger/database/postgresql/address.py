"""Address of a PostgreSQL database. What it shows of itself never holds the password."""

import psycopg
from psycopg import conninfo

from gateway.core.errors import ConfigurationError

# Unless the address says otherwise. A server that is gone without a word is noticed within seconds.
_DEFAULTS = {
    "connect_timeout": "3",
    "application_name": "aduana",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


class Address:
    """Where the database is, as libpq's connection strings say it, and who asks."""

    def __init__(self, text: str, password: str | None = None) -> None:
        """Read an address.

        Args:
            text: As `postgresql://user@host:5432/database?sslmode=verify-full`.
            password: Of the user, where the address has none.

        Raises:
            ConfigurationError: It is none. The text is not repeated: it may have a password in it.
        """
        try:
            given = {name: str(value) for name, value in conninfo.conninfo_to_dict(text).items()}
        except psycopg.Error as error:
            raise ConfigurationError(
                (
                    "The address of the PostgreSQL database can't be read. Write it like 'postgresql://user@host/aduana'.",
                )
            ) from error
        if password is not None:
            given["password"] = password
        if "," in given.get("host", "") + given.get("hostaddr", ""):  # a standby may know less than was remembered
            given.setdefault("target_session_attrs", "read-write")
        self._secrets = [given[name] for name in ("password", "sslpassword") if given.get(name)]
        self.conninfo = conninfo.make_conninfo(**(_DEFAULTS | given | {"client_encoding": "UTF8"}))
        host = given.get("host") or given.get("hostaddr") or "this machine"
        port = f":{given['port']}" if given.get("port") else ""
        self.shown = f"{host}{port}/{given.get('dbname') or given.get('user') or ''}"

    def scrubbed(self, text: str) -> str:
        """Return a message without the password, should it have one in it."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text
