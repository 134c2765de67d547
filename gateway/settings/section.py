"""Pieces that all sections share: names, secret references, lists of files, the strict class of a section."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Tag = Annotated[str, Field(pattern=NAME_PATTERN)]


def _secret_reference(value: str) -> str:
    kind, _, rest = value.partition(":")
    if kind not in ("env", "file") or not rest.strip():
        # The value itself may be a secret, so it is not repeated here.
        raise ValueError("write a secret as 'env:NAME' or 'file:PATH', never the secret itself")
    return value


SecretReference = Annotated[
    str,
    AfterValidator(_secret_reference),
    Field(json_schema_extra={"pattern": r"^(env|file):.*\S", "examples": ["env:NAME", "file:PATH"]}),
]


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Files = Annotated[tuple[Path, ...], BeforeValidator(_one_or_many, json_schema_input_type=Path | tuple[Path, ...])]


class Section(BaseModel):
    """Part of the configuration: frozen, and it refuses names that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
