"""Read embeddings from the answers of other servers. Pure."""

import base64
import binascii
import struct
from math import isfinite
from typing import Any

import msgspec

from gateway.core.delta import Embeddings
from gateway.core.document import JsonObject
from gateway.core.errors import TargetProtocolError
from gateway.upstream.errors import complaint, fault_in_stream
from gateway.upstream.usage import estimated_usage, reported_usage

_LARGEST_FLOAT32 = 3.4028234e38


class _Vector(msgspec.Struct):
    embedding: list[float] | str
    index: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Vector] | None = None
    usage: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Answer, strict=False)  # numbers may come as text


def read_vectors(target: str, document: JsonObject, inputs: int, body: bytes) -> Embeddings:
    """Return the vectors in the order of the inputs; `inputs` is how many there are.

    Raises:
        AduanaError: the answer reports an error.
        TargetProtocolError: the answer can't be read, or does not have one vector of finite numbers for each input.
    """
    try:
        answer = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(target) from error
    if answer.error:
        raise fault_in_stream(target, complaint(answer.error))
    ordered: dict[int, tuple[float, ...]] = {}
    for place, one in enumerate(answer.data or ()):
        ordered[place if one.index is None else one.index] = _floats(target, one.embedding)
    vectors = tuple(ordered[index] for index in sorted(ordered))
    if sorted(ordered) != list(range(inputs)) or len({len(vector) for vector in vectors}) > 1:
        raise TargetProtocolError(f"The target {target!r} did not send one vector for each input.")
    usage = reported_usage(answer.usage, answered=False)
    if usage is None or usage.prompt_tokens == 0:
        usage = estimated_usage(document, answer=0, reasoning=0)
    return Embeddings(vectors=vectors, usage=usage)


def _floats(target: str, given: list[float] | str) -> tuple[float, ...]:
    if isinstance(given, str):
        try:
            raw = base64.b64decode(given, validate=True)
            vector = struct.unpack(f"<{len(raw) // 4}f", raw)
        except (binascii.Error, ValueError, struct.error) as error:
            raise _unreadable(target) from error
    else:
        vector = tuple(given)
    if not vector or not all(isfinite(value) and abs(value) <= _LARGEST_FLOAT32 for value in vector):
        raise TargetProtocolError(f"The target {target!r} sent a vector with impossible numbers.")
    return vector


def _unreadable(target: str) -> TargetProtocolError:
    return TargetProtocolError(f"The target {target!r} sent embeddings that can't be read.")
