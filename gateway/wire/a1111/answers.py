"""Encode pictures and errors as AUTOMATIC1111's web UI answers. Pure.

Source: `modules/api/api.py` of stable-diffusion-webui (`TextToImageResponse`, `api_middleware`).
"""

from typing import Any

from gateway.core.delta import Delta, Extra, Picture, UsageReport
from gateway.core.document import thaw
from gateway.core.errors import AduanaError
from gateway.core.request import ImagesRequest
from gateway.wire.decided import decision_fields
from gateway.wire.encoding import encode_json, incomplete

_INFO = "info"


class PicturesAssembly:
    """Collector of one answer."""

    def __init__(self, request: ImagesRequest) -> None:
        self._request = request
        self._made: list[str] = []
        self._info = ""
        self._complete = False

    def add(self, delta: Delta) -> None:
        """Take the next delta."""
        match delta:
            case Picture(number=None):
                self._made.append(delta.base64)
            case Extra():
                info = delta.fields.get(_INFO)
                self._info = info if isinstance(info, str) else self._info
            case UsageReport():
                self._complete = True
            case _:
                pass

    def body(self) -> bytes:
        """Return the whole answer.

        Raises:
            TargetProtocolError: The answer did not come to its end.
        """
        if not self._complete or not self._made:
            raise incomplete()
        info = self._info or encode_json(self._own_info()).decode()
        return encode_json({"images": self._made, "parameters": self._parameters(), "info": info})

    def _parameters(self) -> dict[str, Any]:
        """Return what was asked for, without the pictures."""
        document = self._request.document
        kept = {name: thaw(value) for name, value in document.items() if name not in ("image", "mask", "size", "n")}
        width, _, height = self._request.size.partition("x")
        return kept | {"width": int(width), "height": int(height), "batch_size": self._request.n}

    def _own_info(self) -> dict[str, Any]:
        """Return how the pictures were made, as far as it is known here: the target said nothing of it."""
        parameters = self._parameters()
        seed = parameters.get("seed", -1)
        count = len(self._made)
        return parameters | {
            "seed": seed,
            "all_seeds": [seed] * count,
            "all_prompts": [self._request.text] * count,
            "infotexts": [self._request.text] * count,
            "sd_model_name": self._request.model,
        }


def error_body(error: AduanaError) -> bytes:
    """Encode the body of an error answer."""
    told = {"error": error.kind, "detail": error.message, "errors": error.message, "code": error.code}
    return encode_json(told | decision_fields(error))
