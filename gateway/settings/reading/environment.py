"""`ADUANA_…` variables as values of the configuration: JSON, or a list with commas between its entries."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

_LISTS = (list, tuple, set, frozenset)


class EnvironmentSource(EnvSettingsSource):
    """Reader of the environment. What it can't read stays as it is, so that the error names the variable."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the value of a list, a mapping or a section; `a,b` is a list as well as `["a","b"]`."""
        try:
            decoded = super().decode_complex_value(field_name, field, value)
        except ValueError:
            decoded = value
        if isinstance(decoded, list | dict) or not _takes_list(field.annotation if field is not None else None):
            return decoded
        if str(value).lstrip().startswith("["):
            return decoded  # meant as JSON and none: that is an error, not a name
        return [entry.strip() for entry in str(value).split(",") if entry.strip()]


def _takes_list(annotation: Any) -> bool:
    """Return whether a setting of this type is a list, or may be one."""
    origin = get_origin(annotation) or annotation
    if origin in (Union, UnionType, Annotated):
        return any(_takes_list(argument) for argument in get_args(annotation))
    return origin in _LISTS
