"""`responses:`, what is kept of answers of the Responses API."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from gateway.settings.section import Section
from gateway.settings.units import Bytes


def word(value: object) -> object:
    """Return `on` and `off` for true and false, as older YAML reads these words."""
    return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


class ResponsesConfig(Section):
    """Answers that are stored, so that clients can continue them: the only place where prompts and answers are kept."""

    store: Annotated[Literal["off", "on"], BeforeValidator(word)] = "off"
    """`on`: responses and conversations are stored, sealed, for the key that made them, with their label; responses
    unless the client says `store: false`, as at OpenAI. `off`: nothing is, and a start erases what was stored."""
    days: int = Field(default=30, ge=1, le=3650)
    """What was neither made nor continued for so many days is deleted."""
    max_bytes: Bytes = 2**30
    """Of everything that is stored; beyond it, what was not continued for the longest time is deleted."""
    max_key_bytes: Bytes | None = None
    """Of what one key stores, as `100 MB`; beyond it, what that key has not continued for the longest time is deleted,
    so that nobody's conversations make room for another's. Default: no bound of its own."""
    max_response_bytes: Bytes = 16 * 2**20
    """Of one response or conversation; a larger one is answered, but not stored (`store: false` in the answer)."""

    @model_validator(mode="after")
    def _one_fits(self) -> "ResponsesConfig":
        if self.max_response_bytes > self.max_bytes:
            raise ValueError("max_response_bytes is more than max_bytes, which is for all responses together")
        if self.max_key_bytes is not None and self.max_response_bytes > self.max_key_bytes:
            raise ValueError("max_response_bytes is more than max_key_bytes, which is for all responses of a key")
        return self
