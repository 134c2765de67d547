"""Life of a worker process: check the file, load the model, say so, work until the gateway is gone."""

import signal
import socket
import time
from pathlib import Path

from gateway.core.errors import ConfigurationError
from gateway.engine.llama.draft_plan import DraftPlan, draft_plan
from gateway.engine.llama.faults import EngineFault, LoadFault
from gateway.engine.llama.footprint import footprint_of, shortage
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.memory import available_memory
from gateway.engine.llama.model import Model, can_use_gpu
from gateway.engine.llama.projector import Projector
from gateway.engine.llama.zero_pages import release_zero_pages
from gateway.engine.messages import Failed, Load, Loading, Ready, StepCosts
from gateway.engine.prompt_store.store import open_prompt_store
from gateway.engine.settings import MAX_DRAFT_TOKENS, EngineSettings
from gateway.engine.speculative.draft_model import DraftModel
from gateway.engine.speculative.head_proposer import HeadProposer
from gateway.engine.speculative.speculator import DraftProposer, Speculator
from gateway.engine.tuning.batch_split import BatchSplitter, measure_batches, measure_draft_tokens
from gateway.engine.tuning.threads import default_threads
from gateway.engine.worker.channel import Channel, PeerClosed
from gateway.engine.worker.loop import Worker
from gateway.engine.worker.warm_up import warm_up

_BAD_FILE = "Its model file is missing, incomplete or of a kind that can't be used; the gateway's log says which."


def _load(channel: Channel, settings: EngineSettings, threads: int) -> tuple[Model, int, DraftPlan]:
    """Load the model. Return it, the bytes of one token in its KV cache, and what was planned for draft tokens.

    Raises:
        LoadFault: it does not fit into the memory, or llama.cpp refuses it.
        ConfigurationError: its file or that of an adapter can't be used.
    """
    header = read_header(Path(settings.model))
    for adapter, _ in settings.lora:
        read_header(Path(adapter))
    if settings.mmproj:
        read_header(Path(settings.mmproj))
    if header.head_only:
        raise ConfigurationError((f"{settings.model} holds a draft head alone: name the model's own file.",))
    draft = read_header(Path(settings.draft_model)) if settings.draft_model else None
    plan = draft_plan(header, settings, draft)
    if plan.problem:
        raise LoadFault(plan.problem, public="Its draft model does not fit to it.")
    if not settings.gpu_layers or not can_use_gpu():
        problem = shortage(header, settings, available_memory())
        if problem:
            raise LoadFault(f"{settings.model} does not fit: {problem}", public=f"Its model does not fit: {problem}")
    sent = [0.0]

    def progress(fraction: float) -> bool:
        if fraction - sent[0] >= 0.01 or fraction >= 1.0:
            sent[0] = fraction
            channel.send(Loading(fraction=fraction))
        return True

    model = Model(settings, threads, progress, plan)
    release_zero_pages()  # no other thread runs yet
    return model, max(1, footprint_of(header, settings, draft=draft).cache // (settings.context * settings.slots)), plan


def _step_costs(model: Model, threads: int, known: StepCosts | None) -> StepCosts:
    """Return what steps cost: as it was measured before with as many threads, else measured now (0.3 to 1 s)."""
    if known is not None and known.threads == threads:
        return known
    settings = model.settings
    if not model.generates:
        return StepCosts(threads=threads)
    try:
        drafts = measure_draft_tokens(model, settings.draft_tokens) if _drafts(model) else {}
        return StepCosts(threads=threads, batches=measure_batches(model, settings.slots), drafts=drafts)
    except EngineFault:  # what is wrong shows, and is told, with the first request
        return StepCosts(threads=threads)


def _drafts(model: Model) -> bool:
    """Return whether tokens are drafted: where it is wanted, and rejected ones can be dropped."""
    settings = model.settings
    wanted = settings.draft_lookup or bool(settings.draft_model) or model.head is not None
    return model.generates and model.sequence_memory.drops_drafts and wanted


def _speculator(model: Model, threads: int, costs: StepCosts) -> Speculator | None:
    """Make what drafts tokens for this model; None: nothing is drafted.

    Raises:
        LoadFault: the draft model can't be used.
    """
    settings = model.settings
    if not _drafts(model):
        return None
    return Speculator(
        costs=dict(costs.drafts),
        most=min(settings.draft_tokens, model.sequence_memory.take_back or settings.draft_tokens),
        room=min(MAX_DRAFT_TOKENS, settings.batch - settings.slots),
        lookup=settings.draft_lookup,
        proposer=_proposer(model, threads),
        always=settings.draft_always,
    )


def _draft_head(model: Model, plan: DraftPlan) -> str:
    """Say what became of the draft head: `used`, or why not; empty: there is none."""
    if model.head is not None:
        return "used"
    return "There is no room for it, or computing with it fails." if plan.head and model.generates else plan.unused


def _proposer(model: Model, threads: int) -> DraftProposer | None:
    """Return what drafts besides n-grams: a draft head, the model's own or the one that is named, or a draft model.

    Raises:
        LoadFault: the draft model can't be used.
    """
    if model.head is not None:
        return HeadProposer(model.head)
    return _draft_model(model, threads) if model.settings.draft_model else None


def _draft_model(model: Model, threads: int) -> DraftModel:
    draft = DraftModel(model.settings, threads, model.vocabulary)
    warm_up(draft.model, threads)
    return draft


def serve(connection: socket.socket) -> int:
    """Load what the first message says, then work until the gateway is gone. Return the exit code of the process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the gateway decides when to stop; it closes the socket
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(connection)
    try:
        first = channel.receive()
        while not first:
            channel.wait()
            first = channel.receive()
        if not isinstance(first[0], Load):
            return 2
        settings = first[0].settings
        threads = settings.threads or default_threads()
        began = time.perf_counter()
        try:
            model, token_bytes, plan = _load(channel, settings, threads)
            warm_up(model, threads)
            costs = _step_costs(model, threads, first[0].costs)
            speculator = _speculator(model, threads, costs)
            projector = Projector(model, threads) if settings.mmproj else None
            prompt_store = open_prompt_store(settings, channel.wake)
        except ConfigurationError as error:
            channel.send(Failed(message=error.message, public=_BAD_FILE))
            return 3
        except LoadFault as error:
            channel.send(Failed(message=str(error), public=error.public, retry=True))
            return 3
        splitter = BatchSplitter(costs.batches)
        worker = Worker(model, channel, threads, prompt_store, token_bytes, splitter, speculator, projector)
        channel.send(
            Ready(
                seconds=time.perf_counter() - began,
                context=model.context,
                slots=settings.slots,
                trained_context=model.trained_context,
                threads=threads,
                embedding_size=model.embedding_size,
                description=model.description(),
                generates=model.generates,
                ranks=model.ranks,
                sees=projector is not None and projector.sees,
                hears=projector is not None and projector.hears,
                sequences=model.sequence_memory if model.generates else None,
                drafts=speculator is not None,
                draft_head=_draft_head(model, plan),
                costs=costs if costs.batches else None,
            )
        )
        try:
            worker.run()
        finally:
            prompt_store.close()
    except PeerClosed:
        return 0
    return 0
