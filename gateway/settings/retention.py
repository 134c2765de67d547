"""`retention:`, how long the ledger keeps what it knows of requests."""

from pydantic import Field, field_validator

from gateway.settings.section import Section
from gateway.settings.units import Bytes

_LEAST = 16 * 2**20


class RetentionConfig(Section):
    """How long the ledger keeps what it knows of requests: never what was said in them."""

    days: int = Field(default=400, ge=0, le=36_500)
    """Requests that are older are removed, at start and once a day, a day's worth a day. 0: none is for its age."""
    max_bytes: Bytes | None = None
    """Of the whole ledger, as `2 GB`, at least `16 MiB`; beyond it the oldest requests are removed, however young, but
    for the last thousand. Default: no bound. What counts for budgets and what is sensitive is remembered all the
    same."""

    @field_validator("max_bytes")
    @classmethod
    def _enough(cls, value: int | None) -> int | None:
        if value is not None and value < _LEAST:
            raise ValueError("is less than 16 MiB, which the memory of sensitive conversations alone can need")
        return value
