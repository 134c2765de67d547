"""Measures of pictures and sounds: how many tokens each takes, as the worker says, which has the projector."""

import asyncio

from cachetools import LRUCache

from gateway.core.errors import AduanaError, BadRequest, TargetTimeout
from gateway.core.request import AnyRequest, ChatRequest
from gateway.engine.media import Piece
from gateway.engine.messages import Measure, Measured, Ready
from gateway.local.embedded.admission import Admission
from gateway.local.embedded.process.mailbox import Mailbox
from gateway.local.embedded.process.supervisor import WorkerSupervisor
from gateway.local.embedded.text.media import GivenMedium, MeasuredMedium, kept_sizes, key_of, media_parts, read_media

_MOST_KEPT = 4096  # sizes and sounds
_PATIENCE = 60.0  # seconds; an answer comes between two steps
_SMALL = 64 * 1024  # characters of base64 that are quicker read than handed to a thread


class MediaMeter:
    """What is known of the pictures' sizes: a picture of a known size costs no question."""

    def __init__(self, worker: WorkerSupervisor, admission: Admission) -> None:
        self._worker = worker
        self._admission = admission
        self._known: LRUCache[tuple[str, tuple[int, int] | bytes], tuple[Piece, ...]] = LRUCache(_MOST_KEPT)

    async def measured(self, request: AnyRequest, ready: Ready, isolation: str) -> tuple[MeasuredMedium, ...]:
        """Return the pictures and sounds of a request with what stands in the prompt for each.

        What is known of a sound is told to nobody else: `isolation` is the key of the request.

        Raises:
            BadRequest: one of them can't be taken by this model.
            TargetError: the worker failed; also its kin.
        """
        if not isinstance(request, ChatRequest) or not request.media:
            return ()
        if sum(len(part.source) for part in media_parts(request)) > _SMALL:
            given = await asyncio.to_thread(read_media, request, sees=ready.sees, hears=ready.hears)
        else:
            given = read_media(request, sees=ready.sees, hears=ready.hears)
        pieces = {}
        for key, medium in kept_sizes(given).items():
            known = isolation if medium.sound else "", key
            pieces[key] = self._known.get(known) or await self._ask(medium, isolation)
            self._known[known] = pieces[key]
        return tuple(MeasuredMedium(given=medium, pieces=pieces[key_of(medium)]) for medium in given)

    async def _ask(self, medium: GivenMedium, isolation: str) -> tuple[Piece, ...]:
        mailbox, number = Mailbox(), self._worker.next_id()
        sound = medium.data if medium.sound else b""
        message = Measure(id=number, width=medium.width, height=medium.height, sound=sound, isolation=isolation)
        self._admission.admit([message])
        try:
            async with asyncio.timeout(_PATIENCE):
                self._worker.send([message], mailbox)
                (answer,) = await mailbox.take()
        except TimeoutError:
            raise TargetTimeout("The model did not say in time how large a picture is to it.") from None
        finally:
            self._worker.cancel([number])
            self._admission.release([message])
        if isinstance(answer, AduanaError):
            raise answer
        assert isinstance(answer, Measured)
        if answer.error is not None:
            what = "sound" if medium.sound else "picture"
            raise BadRequest(f"The {what} {answer.error}.", param=medium.param)
        return answer.pieces
