"""Owner of the policy in force: loads it, watches its files, swaps it whole or keeps the old one.

Requests in flight keep the policy that they started with: they hold the object itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog
from watchfiles import awatch

from gateway.app.proofs.prover import PolicyProver
from gateway.app.proofs.question import Question
from gateway.core.errors import ConfigurationError
from gateway.core.target import Catalog
from gateway.core.yaml_source import decoded
from gateway.policy import Policy, load_policy_files
from gateway.policy.proof.verdict import PolicyCheck

LOG = structlog.get_logger("aduana.policy")
_LOOK_SECONDS = 2.0
_STEP_MS = 200  # how often the watching thread looks at what the system has told
_POLL_MS = 1_000  # between looks where the system tells nothing
T = TypeVar("T")


class PolicyStore:
    """Owner of the policy for new requests (`current`), and of the candidate that is only compared with it."""

    def __init__(
        self,
        paths: Sequence[Path],
        catalog: Catalog,
        *,
        candidate: Sequence[Path] = (),
        rates: Mapping[str, float],
        look_seconds: float = _LOOK_SECONDS,
        remembered: Sequence[Path] = (),
    ) -> None:
        """Load the policy.

        Args:
            paths: Files of the policy; without any, the built-in one.
            catalog: Targets and aliases that the policy may name.
            candidate: Files of a policy that decides nothing, and is compared with the one in force.
            rates: How many US dollars one unit of each currency is.
            look_seconds: After how long a change is seen that the system does not tell of.
            remembered: Folders in which it stands what was proved before.

        Raises:
            ConfigurationError: The files don't load.
        """
        self._paths = tuple(paths)
        self._catalog = catalog
        self._rates = dict(rates)
        self._look_seconds = look_seconds
        self._changed: Callable[[Policy | None], None] = lambda policy: None
        self._read: dict[str, str | None] = {}  # None: it could not be read
        self._asked = asyncio.Event()
        self._prover = PolicyProver(remembered)
        # INVARIANT: the solver works in this one thread alone, also where whoever asked is gone: two at once crash it.
        self._solver = ThreadPoolExecutor(1, "policy")
        self._examined: PolicyCheck | None = None
        self.problem: str | None = None
        self._candidate_paths = tuple(candidate)
        self.current, self.candidate, self._question = self._load()

    def on_change(self, changed: Callable[[Policy | None], None]) -> None:
        """Call `changed` with each new policy, and with None for a reload that was refused."""
        self._changed = changed

    def ask_to_reload(self) -> None:
        """Load again soon, whether or not a file has changed (SIGHUP)."""
        self._asked.set()

    def renew_catalog(self, catalog: Catalog) -> None:
        """Let policies name other keys; where that changes anything, they are read again soon."""
        if catalog.tags_of_keys != self._catalog.tags_of_keys:
            self._catalog = catalog
            self.ask_to_reload()

    async def reload(self) -> bool:
        """Load again, in a thread, and return whether the new policy is in force; on any problem the old one stays."""
        try:
            policy, candidate, question = await self._solved(self._load)
        except ConfigurationError as error:
            return self._refused(error.problems)
        except Exception as error:  # noqa: BLE001 - whatever a file does to its reader, the old rules stay
            return self._refused((f"The policy can't be read ({type(error).__name__}).",))
        self.problem = None
        if policy.digest != self.current.digest:
            LOG.info("policy.reloaded", digest=policy.digest, before=self.current.digest)
        self.current, self.candidate, self._question = policy, candidate, question
        self._changed(policy)
        return True

    @property
    def texts(self) -> Mapping[str, str]:
        """Return the text of each file of the policies, by its path; empty for the built-in one."""
        return {path: text for path, text in self._read.items() if text is not None}

    @property
    def roots(self) -> tuple[str, ...]:
        """Return the paths of the files that the policy in force begins with."""
        return tuple(str(path) for path in self._paths)

    async def examined(self) -> PolicyCheck:
        """Return the proofs and the expectations of the policy in force; they are made once for each policy."""
        policy, question = self.current, self._question

        def examine() -> PolicyCheck:
            if self._examined is None or self._examined.digest != policy.digest:
                self._examined = self._prover.check(question, policy)
            return self._examined

        return await self._solved(examine)

    async def tried(self, texts: Mapping[str, str]) -> tuple[Policy, PolicyCheck]:
        """Return what a policy of these texts would be, and its proofs. It comes into force nowhere.

        Args:
            texts: The text of each file by its path. Only these files may be included.

        Raises:
            ConfigurationError: The texts don't load; every problem found is in it.
        """
        question = self._about(self.roots or tuple(texts), texts)

        def load() -> tuple[Policy, PolicyCheck]:
            policy = question.policy()
            return policy, self._prover.check(question, policy)

        return await self._solved(load)

    async def _solved(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._solver, work)

    def _refused(self, problems: Sequence[str]) -> bool:
        self.problem = problems[0]
        for problem in problems:
            LOG.error("policy.reload_refused", problem=problem, kept=self.current.digest)
        self._changed(None)
        return False

    async def watch(self) -> None:
        """Reload when a file's text has changed, or when asked to. Runs until cancelled."""
        async with contextlib.aclosing(self._signs()) as signs:
            async for _ in signs:
                asked = self._asked.is_set()
                self._asked.clear()
                if asked or await asyncio.to_thread(self._texts_changed):
                    await self.reload()

    async def _signs(self) -> AsyncGenerator[None]:
        """Yield whenever it is worth comparing the texts, without an end.

        Directories are watched, not files: an editor that saves by renaming puts another file in the old one's place.
        And every few seconds the texts are compared in any case, because the system tells nothing of a network drive's
        other users, nor of a link that was changed further up.
        """
        polling = False
        while True:
            directories = await asyncio.to_thread(self._directories)
            events = awatch(
                *directories,
                watch_filter=None,
                step=_STEP_MS,
                rust_timeout=round(self._look_seconds * 1_000),
                yield_on_timeout=True,
                stop_event=self._asked,  # ends the events
                force_polling=polling or None,
                poll_delay_ms=_POLL_MS,
                recursive=False,
            )
            try:
                async with contextlib.aclosing(events):
                    async for _ in events:
                        yield
                        if await asyncio.to_thread(self._directories) != directories:
                            break
            except (
                OSError,
                RuntimeError,
                ExceptionGroup,
            ) as error:  # the system has no more watches, or a place is gone
                if not polling:
                    LOG.warning("policy.watch_failed", cause=type(error).__name__)
                polling = True
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), self._look_seconds)
            yield

    def _directories(self) -> list[Path]:
        """Return where the files lie, and where links among them lead."""
        files = [Path(path) for path in self._read]
        found = {place.parent for path in files for place in (path, path.resolve())}
        return sorted(place for place in found if place.is_dir())

    def _load(self) -> tuple[Policy, Policy | None, Question]:
        """Return the policy in force, the candidate, and what was asked about the first. Both are proved."""
        texts: dict[str, str | None] = {}

        def read(path: str) -> str:
            texts[path] = None
            text = texts[path] = _text(path)
            return text

        def load(paths: Sequence[Path]) -> tuple[Policy, Question]:
            policy = load_policy_files(paths, self._catalog, rates=self._rates, read=read, proved=False)
            known = {path: text for path, text in texts.items() if text is not None}
            question = self._about([str(path) for path in paths], known)
            self._prover.require(question, policy)
            return policy, question

        try:
            current, question = load(self._paths)
            return current, load(self._candidate_paths)[0] if self._candidate_paths else None, question
        finally:
            self._read = texts or self._read

    def _about(self, roots: Sequence[str], texts: Mapping[str, str]) -> Question:
        return Question(roots=tuple(roots), texts=dict(texts), catalog=self._catalog, rates=self._rates)

    def _texts_changed(self) -> bool:
        for path, text in tuple(self._read.items()):
            now: str | None = None
            with contextlib.suppress(ConfigurationError):
                now = _text(path)
            if now != text:
                return True
        return False


def _text(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError((f"{path}: can't be read: {error.strerror}.",)) from error
    return decoded(data, path)
