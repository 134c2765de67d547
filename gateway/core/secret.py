"""A credential in memory that shows itself only when asked for by name."""


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
