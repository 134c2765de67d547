"""Credentials in memory, which show themselves only when asked for by name."""

import enum

import msgspec


class Secret:
    """One credential that `repr`, `str`, formatting and pickling don't show."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential itself. Call it where the header is written, and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret does not leave its process")


class CredentialForm(enum.StrEnum):
    """Header in which a credential came, and in which it goes on."""

    BEARER = "authorization"
    API_KEY = "x-api-key"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's own key or token for a provider, for one request. It is neither written down nor kept."""

    form: CredentialForm
    secret: Secret
