"""The whole set, the same for the same seed."""

import random
from collections.abc import Collection, Iterator

from tests.bench.attachments.corpus import (
    archives,
    office_files,
    open_document,
    pdf_places,
    pdfs,
    pictures,
    scans,
    texts,
)
from tests.bench.attachments.corpus.sample import Sample

SEED = 2026
_PICTURES = frozenset({"screenshot", "photograph", "picture"})
_MAKERS = (
    (pdfs, {"pdf"}), (pdf_places, {"pdf"}), (office_files, {"docx", "xlsx", "pptx"}), (open_document, {"odt", "ods"}),
    (texts, {"mail", "web page", "drawing", "text"}), (archives, {"archive"}), (scans, {"scan"}), (pictures, _PICTURES),
)  # fmt: skip


def collection(seed: int = SEED, kinds: Collection[str] = ()) -> Iterator[Sample]:
    """Yield every file, or those of some kinds. Each maker has dice of its own: a change leaves the others."""
    for number, (maker, made) in enumerate(_MAKERS):
        if not kinds or made.intersection(kinds):
            some = maker.samples(random.Random(seed * 100 + number))
            yield from (sample for sample in some if not kinds or sample.kind in kinds)
