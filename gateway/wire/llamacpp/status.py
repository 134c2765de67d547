"""What llama-server says about itself and its model, and how it says that something went wrong. Pure."""

import msgspec

from gateway.core.errors import AduanaError, ContextLengthExceeded
from gateway.core.target import Capability, ModelTraits
from gateway.wire.decided import decision_fields
from gateway.wire.encoding import encode_json

# Source: format_error_response in llama.cpp's tools/server/server-common.cpp.
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "unavailable_error",
    501: "not_supported_error",
    503: "unavailable_error",
}

_RANDOM_SEED = 2**32 - 1  # llama.cpp's LLAMA_DEFAULT_SEED


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """What `/props` and `/slots` tell of a model name. `file` has no folder; `template` is empty where unknown."""

    name: str
    file: str = ""
    traits: ModelTraits
    slots: int = 0
    busy: int = 0
    speculative: bool = False
    template: str = ""
    bos: str = ""
    eos: str = ""
    version: str = ""


def error_body(error: AduanaError) -> bytes:
    """Encode the body of an error answer."""
    kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    if error.code == "not_supported":
        kind = "not_supported_error"
    if isinstance(error, ContextLengthExceeded):
        kind = "exceed_context_size_error"
    own = {"code": error.status, "message": error.message, "type": kind}
    return encode_json({"error": own | decision_fields(error)})


def ok_body() -> bytes:
    """Encode the answer of `/health` while requests are answered."""
    return encode_json({"status": "ok"})


def loading_body() -> bytes:
    """Encode the answer of `/health` while the model loads, or can't."""
    return encode_json({"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}})


def props_body(of: Properties) -> bytes:
    """Encode the answer of `/props`."""
    can = of.traits.capabilities
    return encode_json(
        {
            "default_generation_settings": _slot(of, 0, processing=False)
            | {"params": {"n_predict": -1, "seed": _RANDOM_SEED, "stream": True}},
            "total_slots": of.slots,
            "model_alias": of.name,
            "model_path": of.file or of.name,
            "modalities": {"vision": Capability.IMAGES in can, "audio": Capability.AUDIO in can},
            "chat_template": of.template,
            "chat_template_caps": {"supports_tools": Capability.TOOLS in can},
            "bos_token": of.bos,
            "eos_token": of.eos,
            "endpoint_slots": True,
            "endpoint_props": False,  # they can't be changed
            "build_info": f"aduana-{of.version}",
        }
    )


def slots_body(of: Properties) -> bytes:
    """Encode the answer of `/slots`: which work; nothing of what they work on."""
    return encode_json([_slot(of, number, processing=number < of.busy) for number in range(of.slots)])


def _slot(of: Properties, number: int, *, processing: bool) -> dict[str, object]:
    return {
        "id": number,
        "id_task": -1,
        "n_ctx": of.traits.context or 0,
        "speculative": of.speculative,
        "is_processing": processing,
    }
