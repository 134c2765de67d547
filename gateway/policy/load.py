"""Loading of policy files: into a `Policy` whole, or not at all. The caller may bring its own `read` for files."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files as package_files
from pathlib import Path, PurePosixPath

from gateway.core.errors import ConfigurationError
from gateway.core.target import Catalog
from gateway.core.yaml_source import Source, decoded, parse_yaml
from gateway.policy.evaluation.compiled import Policy, compile_policy
from gateway.policy.proof.static_checks import order_problems, structure_problems, structure_warnings
from gateway.policy.reader.document import read_documents

DEFAULT_POLICY_NAME = "home.yaml (built in)"
DEFAULT_POLICY_TEXT = package_files("gateway.policy").joinpath("home.yaml").read_text(encoding="utf-8")
USD: Mapping[str, float] = {"USD": 1.0}
Read = Callable[[str], str]


def load_policy(
    files: Sequence[tuple[str, str]],
    catalog: Catalog,
    *,
    read: Read | None = None,
    rates: Mapping[str, float] = USD,
) -> Policy:
    """Load the policy that these (name, text) pairs make together; without any, the built-in one.

    `read` gives the text of an included file by its path (relative to the including file). `rates` has the US dollars
    that one unit of each currency is; a policy may add more.

    Raises:
        ConfigurationError: The policy does not load; every problem found is in it.
    """
    pairs = list(files) or [(DEFAULT_POLICY_NAME, DEFAULT_POLICY_TEXT)]
    loader = _Loader(read)
    roots = [loader.root(name, text) for name, text in pairs]
    if loader.problems:
        raise ConfigurationError(tuple(loader.problems))
    document, problems = read_documents(loader.sources, roots, catalog, {**USD, **rates})
    if not problems:
        problems = (*order_problems(document), *structure_problems(document, catalog))
    if problems:
        raise ConfigurationError(problems)
    return compile_policy(document, catalog, _digest(loader.texts), structure_warnings(document, catalog))


def load_policy_files(
    paths: Sequence[Path],
    catalog: Catalog,
    *,
    rates: Mapping[str, float] = USD,
    read: Read | None = None,
    proved: bool = True,
) -> Policy:
    """Load a policy from files on disk; without any, the built-in policy.

    With `proved` a policy whose claims can't all be proved does not load (that takes some tens of milliseconds).

    Raises:
        ConfigurationError: A file can't be read, or the policy does not load; every problem found is in it.
    """
    reader = read or _from_disk
    policy = load_policy([(str(path), reader(str(path))) for path in paths], catalog, read=reader, rates=rates)
    if proved:
        from gateway.policy.proof.check import require  # the solver is loaded only where something is proved

        require(policy)
    return policy


def _from_disk(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError((f"{path}: can't be read: {error.strerror}.",)) from error
    return decoded(data, path)


def _digest(texts: Sequence[str]) -> str:
    """Return a name for the policy's text, whatever its files are called and wherever they lie."""
    digest = hashlib.sha256(b"aduana policy 1")
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


class _Loader:
    """Reader of a file and all that it includes: depth first, each file once, and circles are seen."""

    def __init__(self, read: Read | None) -> None:
        self.sources: list[Source] = []
        self.texts: list[str] = []
        self.problems: list[str] = []
        self._read = read
        self._open: list[str] = []
        self._done: set[str] = set()

    def root(self, name: str, text: str) -> Source:
        """Take a file that was named by the user, with what it includes."""
        return self._take(name, text)

    def _take(self, name: str, text: str) -> Source:
        try:
            source = parse_yaml(text, name)
        except ConfigurationError as error:
            self.problems.extend(error.problems)
            return Source(name, {}, {})
        self.sources.append(source)
        self.texts.append(text)
        self._open.append(name)
        includes = source.value.get("include", []) if isinstance(source.value, dict) else []
        for number, item in enumerate(includes if isinstance(includes, list) else [includes]):
            self._include(source, number, item)
        self._open.pop()
        self._done.add(name)
        return source

    def _include(self, source: Source, number: int, item: object) -> None:
        place = source.where(("include", number))
        if not isinstance(item, str) or not item:
            self.problems.append(f"{place}: 'include' takes paths of policy files.")
            return
        path = str(PurePosixPath(source.file).parent / item)
        if path in self._open:
            circle = " → ".join((*self._open[self._open.index(path) :], path))
            self.problems.append(f"{place}: the files include each other in a circle: {circle}.")
        elif path in self._done:
            return
        elif self._read is None:
            self.problems.append(f"{place}: {item!r} can't be included here: there is no folder to read it from.")
        else:
            try:
                text = self._read(path)
            except ConfigurationError as error:
                self.problems.extend(f"{place}: {problem}" for problem in error.problems)
                return
            self._take(path, text)
