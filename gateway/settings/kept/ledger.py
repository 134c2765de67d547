"""`ledger:`, the record of every request: where it lies, and the proofs that it was not changed."""

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import BeforeValidator, Field, field_validator

from gateway.settings.section import SecretReference, Section


class LedgerConfig(Section):
    """The record of every request. Signed checkpoints prove that nothing of it was changed or removed."""

    database: str | None = None
    """Address of a PostgreSQL database that several gateways may share, as
    `postgresql://aduana@db.example/aduana?sslmode=verify-full`, or a reference to it (`env:NAME`, `file:PATH`).
    Default: `ledger.sqlite3` in the state directory. Needs `aduana extras install postgres`."""
    password: SecretReference | None = None
    """The password of the database's user. Default: the one in the address, or what PostgreSQL's own clients use."""
    checkpoints_to: Path | None = None
    """A file that checkpoints are appended to: on another machine's mount, where nobody who can change the ledger can
    change them too. It never stops a request: while it can't be written, checkpoints wait in the ledger."""
    checkpoint_requests: int = Field(default=1000, ge=1)
    """After so many requests a checkpoint is signed."""
    checkpoint_minutes: float = Field(default=15.0, gt=0, le=1440)
    """After so many minutes too, where there was a request, and at each stop; once a day where there was none."""

    @field_validator("database")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None or value.startswith(("env:", "file:")):
            return value
        if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("write an address as 'postgresql://user@host/database', or 'env:NAME' or 'file:PATH'")
        try:
            parts = urlsplit(value)
            secret = parts.password is not None or "password" in dict(parse_qsl(parts.query))
        except ValueError:
            secret = False
        if secret:
            raise ValueError("there is a password in the address: write it apart (password: env:NAME or file:PATH)")
        return value


def _address_or_section(value: object) -> object:
    return {"database": value} if isinstance(value, str) else value


Ledger = Annotated[
    LedgerConfig, BeforeValidator(_address_or_section, json_schema_input_type=LedgerConfig | str)
]  # `ledger: "postgresql://…"` says the same as `ledger: {database: "postgresql://…"}`
