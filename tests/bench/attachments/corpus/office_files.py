"""Word, Excel and PowerPoint files with a value in each of the places that they have, and their clean twins."""

import random
from collections.abc import Iterator

from tests.bench.attachments.corpus.excel_files import EXCEL, sheet
from tests.bench.attachments.corpus.facts import HARMLESS, fact
from tests.bench.attachments.corpus.layouts import LAYOUTS, clean
from tests.bench.attachments.corpus.package import saved
from tests.bench.attachments.corpus.sample import Sample
from tests.bench.attachments.corpus.slide_files import POWERPOINT
from tests.bench.attachments.corpus.word_files import WORD, word


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield every place of every kind of file with a value, and every fourth without one; some layouts as documents."""
    for kind, places in (("docx", WORD), ("xlsx", EXCEL), ("pptx", POWERPOINT)):
        for number, (place, make) in enumerate(places.items()):
            language = rng.choice(("es", "en"))
            one = fact(rng, language, short=kind == "xlsx" or place.startswith(("author", "content")))
            content = clean(rng, language)
            yield Sample(
                name=f"place-{number}.{kind}", data=make(content, one.told), kind=kind, case=place,
                values=(one.value,), told=content.beside(one),
            )  # fmt: skip
            if number % 4 == 0:
                data = make(clean(rng, language), HARMLESS[language])
                yield Sample(name=f"place-{number}-clean.{kind}", data=data, kind=kind, case=place)
    for layout in ("payslip", "bank statement", "form"):
        content = LAYOUTS[layout](rng, rng.choice(("es", "en")))
        values = tuple(one.value for one in content.facts)
        name = layout.replace(" ", "-")
        yield Sample(
            name=f"{name}.docx", data=saved(word(content)), kind="docx", case=layout, values=values, told=content.told
        )
        yield Sample(
            name=f"{name}.xlsx", data=saved(sheet(content)), kind="xlsx", case=layout, values=values, told=content.told
        )
