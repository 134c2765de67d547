"""Parse the bodies of `/sdapi/v1/txt2img` and `img2img` into OpenAI documents. Pure.

Source: the models of `modules/api/models.py` in AUTOMATIC1111's stable-diffusion-webui, as its `/docs` shows them. What
would run a script, write a file on the server or change what it has loaded for others is left out, and the answer says
so.
"""

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType

from gateway.core.attachment import data_url, is_data_url
from gateway.core.document import Json, JsonObject
from gateway.core.errors import BadRequest
from gateway.core.provider_fields import OF_A1111
from gateway.core.request import Dialect, ImagesRequest, Media, MediaWork
from gateway.wire.body_fields import Fields, bad_field
from gateway.wire.file_types import media_type_of
from gateway.wire.forbidden_fields import refuse_overrides
from gateway.wire.json_body import parse_object

_SIDE = 512  # pixels, where a request says nothing
_LONGEST_SIDE = 16_384
_MOST_MADE = 64
_LONGEST_MODEL = 256
_TOLD = frozenset({"prompt", "width", "height", "batch_size", "n_iter", "init_images", "mask", "override_settings"})
_HARMLESS = frozenset(
    {
        "sampler_index", "send_images", "save_images", "do_not_save_samples", "do_not_save_grid", "firstphase_width",
        "firstphase_height", "override_settings_restore_afterwards", "include_init_images", "hr_checkpoint_name",
    }
)  # fmt: skip
_ABSENT: tuple[Json, ...] = (None, False, "", 0, (), MappingProxyType({}))
_CHECKPOINT = "sd_model_checkpoint"


def parse_pictures(work: MediaWork, body: bytes, unnamed: str) -> ImagesRequest:
    """Parse the body of `txt2img` (generations) or `img2img` (edits). `unnamed` is the model where it names none.

    Raises:
        BadRequest: The body is no JSON object, or a field has the wrong type or is out of range.
    """
    given = parse_object(body)
    refuse_overrides(given)
    fields = Fields(given)
    # A1111 makes `batch_size` pictures `n_iter` times.
    count = (fields.integer("batch_size", 1, _MOST_MADE) or 1) * (fields.integer("n_iter", 1, _MOST_MADE) or 1)
    if count > _MOST_MADE:
        raise bad_field("batch_size", f"times 'n_iter' must be at most {_MOST_MADE}.")
    width, height = (fields.integer(name, 8, _LONGEST_SIDE) or _SIDE for name in ("width", "height"))
    prompt = fields.string("prompt") or ""
    model = _model(fields) or unnamed
    if not model:
        raise BadRequest("No model here makes pictures.", code="model_not_found", param="override_settings")
    document: dict[str, Json] = {"model": model, "prompt": prompt, "n": count, "size": f"{width}x{height}"}
    document |= {name: value for name, value in given.items() if name in OF_A1111 and value not in (None, "")}
    media = frozenset[Media]()
    if work is MediaWork.EDITS:
        document["image"] = _pictures(fields)
        media = frozenset({Media.IMAGE})
        if (mask := fields.string("mask")) is not None:
            document["mask"] = _picture(mask, "mask")
    return ImagesRequest(
        dialect=Dialect.A1111,
        model=model,
        document=MappingProxyType(document),
        media=media,
        left_out=_left_out(given),
        work=work,
        text=prompt,
        n=count,
        size=f"{width}x{height}",
    )


def parse_options(body: bytes, _: str) -> str:
    """Return the model that a client wants to be loaded for whatever it asks next; empty: it wants none.

    Raises:
        BadRequest: The body is no JSON object.
    """
    wanted = parse_object(body).get(_CHECKPOINT)
    return wanted if isinstance(wanted, str) else ""


def _model(fields: Fields) -> str:
    """Return the model that the request names for itself, without the hash that A1111 writes behind a name."""
    settings = fields.mapping("override_settings")
    name = settings.string(_CHECKPOINT, longest=_LONGEST_MODEL) if settings is not None else None
    if name and not name.isprintable():
        raise bad_field(f"override_settings.{_CHECKPOINT}", "has control characters.")
    return name or ""


def _pictures(fields: Fields) -> Json:
    items = fields.items("init_images", 16)
    if not items:
        raise bad_field("init_images", "is missing.")
    found = tuple([_picture(item, f"init_images[{number}]") for number, item in enumerate(items)])
    return found[0] if len(found) == 1 else found


def _picture(item: Json, param: str) -> str:
    """Return a picture as a data URL: clients send those, or base64 alone.

    Raises:
        BadRequest: It is neither.
    """
    if isinstance(item, str) and is_data_url(item):
        return item
    try:
        data = base64.b64decode(item if isinstance(item, str) else "", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise bad_field(param, "must be a picture in base64, or a data URL; addresses are not fetched.")
    return data_url(media_type_of(data), data)


def _left_out(given: JsonObject) -> tuple[str, ...]:
    settings = given.get("override_settings")
    other = isinstance(settings, Mapping) and any(name != _CHECKPOINT for name in settings)
    names = [
        name
        for name, value in given.items()
        if name not in OF_A1111 and name not in _TOLD and name not in _HARMLESS and value not in _ABSENT
    ]
    plain = [name if name.isidentifier() and name.isascii() and len(name) < 48 else "?" for name in names]
    return (*plain, *(("override_settings",) if other else ()))
