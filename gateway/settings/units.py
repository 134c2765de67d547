"""Sizes and times as people write them: `22 GB`, `30 min`. A bare number is bytes, or seconds. Numbers or `auto`."""

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*\Z")
_SIZES = {"": 1, "b": 1} | {
    prefix + unit: base**power
    for power, prefix in enumerate("kmgt", 1)
    for unit, base in (("b", 1000), ("ib", 1024))
}  # fmt: skip
_TIMES = {
    "": 1.0, "ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0,
    "minutes": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0, "d": 86_400.0, "day": 86_400.0, "days": 86_400.0,
}  # fmt: skip


def _size(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _NUMBER.match(value)
    scale = _SIZES.get(found[2].lower()) if found else None
    if found is None or scale is None:
        raise ValueError("write a size as '22 GB', '500 MB' or '20 GiB'")
    return int(float(found[1]) * scale)


def _time(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _NUMBER.match(value)
    scale = _TIMES.get(found[2].lower()) if found else None
    if found is None or scale is None:
        raise ValueError("write a time as '90 s', '30 min' or '2 h'")
    return float(found[1]) * scale


def _automatic(value: object) -> object:
    if isinstance(value, str) and not value.strip().isdigit() and value != "auto":
        raise ValueError("write a whole number, or 'auto'")
    return None if value == "auto" else value


_SizeText = Annotated[str, Field(pattern=r"^\s*\d+(\.\d+)?\s*([kKmMgGtT][iI]?)?[bB]?\s*$", examples=["22 GB"])]
_TimeText = Annotated[
    str,
    Field(pattern=r"^\s*\d+(\.\d+)?\s*(ms|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)?\s*$", examples=["30 min"]),
]

Bytes = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(_size, json_schema_input_type=Annotated[int, Field(ge=1)] | _SizeText),
]
Seconds = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False),
    BeforeValidator(_time, json_schema_input_type=Annotated[float, Field(ge=0)] | _TimeText),
]
_Window = Annotated[int, Field(ge=64, le=4_194_304)]
_Slots = Annotated[int, Field(ge=1, le=64)]
# None: auto, chosen for the machine.
Window = Annotated[_Window | None, BeforeValidator(_automatic, json_schema_input_type=Literal["auto"] | _Window)]
Slots = Annotated[_Slots | None, BeforeValidator(_automatic, json_schema_input_type=Literal["auto"] | _Slots)]
