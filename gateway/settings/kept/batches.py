"""`batches:`, files that clients upload, and the requests in them that are answered in the background."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from gateway.settings.kept.responses import word
from gateway.settings.section import Section
from gateway.settings.units import Bytes


class BatchesConfig(Section):
    """Batches: files of requests that are answered one by one, behind those that somebody waits for."""

    store: Annotated[Literal["off", "on"], BeforeValidator(word)] = "off"
    """`on`: `/v1/files`, `/v1/batches` and `/v1/messages/batches` are served; files and results are stored, sealed, for
    the key that made them, and requests may name files by their id (`file_id`). `off`: they are refused, and a start
    erases what was stored."""
    when: Literal["idle", "always"] = "idle"
    """`idle`: a request of a batch begins only while no local target works on anything. `always`: also beside others,
    in the queues of local targets behind them."""
    hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] = ()
    """Hours of the local day in which a request of a batch may begin, as `[22, 23, 0, 1, 2, 3, 4, 5]`. Default: all."""
    price_up_to: float | None = None
    """US dollars: a request of a batch begins only while a kilowatt-hour costs no more than this, by `energy.tariff`.
    Default: at any price."""
    days: int = Field(default=30, ge=2, le=3650)
    """Files, and batches that have ended, are deleted after so many days."""
    max_bytes: Bytes = 2**30
    """Of everything that is stored; beyond it, uploads are refused."""
    max_file_bytes: Bytes = 100 * 2**20
    """Of one uploaded file."""

    @model_validator(mode="after")
    def _one_fits(self) -> "BatchesConfig":
        if self.max_file_bytes > self.max_bytes:
            raise ValueError("max_file_bytes is more than max_bytes, which is for all files together")
        return self
