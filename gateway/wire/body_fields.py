"""Read single fields of a request body with type and range, and name the field in errors. Pure.

`null` always counts as absent, as in OpenAI's own API. Errors never repeat the value: they may be logged.
"""

from collections.abc import Sequence

from gateway.core.document import Json, JsonObject, is_object
from gateway.core.errors import BadRequest


def bad_field(param: str, message: str) -> BadRequest:
    """Return a BadRequest about one field, named as the dialect names it (`messages[0].role`)."""
    return BadRequest(f"'{param}': {message}", param=param, code="invalid_value")


class Fields:
    """One JSON object of the body, read field by field. `path` is its own name in the body; the root has none."""

    def __init__(self, document: JsonObject, path: str = "") -> None:
        self.document = document
        self._prefix = f"{path}." if path else ""

    def param(self, name: str) -> str:
        """Return the name of a field as errors give it."""
        return self._prefix + name

    def integer(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number within [low, high]; None if it is absent.

        Raises:
            BadRequest: the field has another type or is out of range.
        """
        value = self.document.get(name)
        if value is None:
            return None
        if type(value) is not int:
            raise bad_field(self.param(name), "must be a whole number.")
        if not low <= value <= high:
            raise bad_field(self.param(name), f"must be between {low} and {high}.")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """Return a number within [low, high]; None if it is absent.

        Raises:
            BadRequest: the field has another type or is out of range.
        """
        value = self.document.get(name)
        if value is None:
            return None
        if type(value) is not int and type(value) is not float:
            raise bad_field(self.param(name), "must be a number.")
        if not low <= value <= high:
            raise bad_field(self.param(name), f"must be between {low:g} and {high:g}.")
        return float(value)

    def boolean(self, name: str) -> bool:
        """Return true or false; absent counts as false.

        Raises:
            BadRequest: the field has another type.
        """
        value = self.document.get(name)
        if value is None:
            return False
        if type(value) is not bool:
            raise bad_field(self.param(name), "must be true or false.")
        return value

    def string(self, name: str, *, longest: int | None = None) -> str | None:
        """Return a text of at most `longest` characters; None if it is absent.

        Raises:
            BadRequest: the field has another type or is too long.
        """
        value = self.document.get(name)
        if value is None:
            return None
        if type(value) is not str:
            raise bad_field(self.param(name), "must be a string.")
        if longest is not None and len(value) > longest:
            raise bad_field(self.param(name), f"must have at most {longest} characters.")
        return value

    def required_string(self, name: str, *, longest: int | None = None) -> str:
        """Return a text that must be there and must not be empty.

        Raises:
            BadRequest: the field is absent or empty, has another type or is too long.
        """
        value = self.string(name, longest=longest)
        if not value:
            raise bad_field(self.param(name), "is missing.")
        return value

    def choice(self, name: str, words: Sequence[str]) -> str | None:
        """Return a text that is one of `words`; None if it is absent.

        Raises:
            BadRequest: the field has another type or is none of the words.
        """
        value = self.string(name)
        if value is not None and value not in words:
            raise bad_field(self.param(name), f"must be one of {', '.join(words)}.")
        return value

    def mapping(self, name: str) -> "Fields | None":
        """Return the reader of a JSON object; None if it is absent.

        Raises:
            BadRequest: the field has another type.
        """
        value = self.document.get(name)
        if value is None:
            return None
        return self.inside(value, self.param(name))

    def items(self, name: str, most: int) -> tuple[Json, ...]:
        """Return an array of at most `most` items; absent counts as empty.

        Raises:
            BadRequest: the field has another type or too many items.
        """
        value = self.document.get(name)
        if value is None:
            return ()
        if not isinstance(value, tuple):
            raise bad_field(self.param(name), "must be an array.")
        if len(value) > most:
            raise bad_field(self.param(name), f"must have at most {most} items.")
        return value

    def objects(self, name: str, most: int) -> "list[Fields]":
        """Return the readers of an array of at most `most` JSON objects; absent counts as empty.

        Raises:
            BadRequest: the field has another type or too many items, or an item is no object.
        """
        return [self.inside(item, f"{self.param(name)}[{i}]") for i, item in enumerate(self.items(name, most))]

    @staticmethod
    def inside(value: Json, path: str) -> "Fields":
        """Return the reader of `value`, which must be a JSON object.

        Raises:
            BadRequest: `value` is no object.
        """
        if not is_object(value):
            raise bad_field(path, "must be an object.")
        return Fields(value, path)
