"""What is known of a batch, and how it is shown: frozen data. Pure."""

import enum

import msgspec

from gateway.wire.encoding import encode_json


class Status(enum.StrEnum):
    """How far a batch has come, in OpenAI's words."""

    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.FAILED, Status.COMPLETED, Status.EXPIRED, Status.CANCELLED})
_TIMES = (*(status for status in Status if status is not Status.VALIDATING),)


class LineProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a line of a batch's file, or with the file. `line` counts from 1; None: the file."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch and its circumstances. Times are Unix seconds."""

    id: str
    owner: str  # the name of the key that made it
    endpoint: str
    input_file: str
    created: int
    expires: int
    tags: frozenset[str] = frozenset()  # of the header under which it came
    handed: frozenset[str] = frozenset()  # tags under which its file came: its lines inherit them
    headers: tuple[tuple[str, str], ...] = ()  # those that policies look at
    metadata: dict[str, str] | None = None
    output_seconds: int | None = None
    status: Status = Status.VALIDATING
    times: dict[Status, int] = {}
    total: int = 0
    completed: int = 0
    failed: int = 0
    output_file: str | None = None
    error_file: str | None = None
    problems: tuple[LineProblem, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.status in ENDED

    def at(self, status: Status, now: float) -> "Batch":
        """Return the batch in a further status."""
        return msgspec.structs.replace(self, status=status, times=self.times | {status: int(now)})

    def shown(self) -> dict[str, object]:
        """Return the batch as OpenAI's object."""
        errors = None
        if self.problems:
            errors = {"object": "list", "data": [msgspec.to_builtins(problem) for problem in self.problems]}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "errors": errors,
            "input_file_id": self.input_file,
            "completion_window": "24h",
            "status": self.status.value,
            "output_file_id": self.output_file,
            "error_file_id": self.error_file,
            "created_at": self.created,
            "expires_at": self.expires,
            **{f"{status.value}_at": self.times.get(status) for status in _TIMES},
            "request_counts": {"total": self.total, "completed": self.completed, "failed": self.failed},
            "metadata": self.metadata,
        }


def encoded(batch: Batch) -> bytes:
    """Encode a batch's object."""
    return encode_json(batch.shown())
