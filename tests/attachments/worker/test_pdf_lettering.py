"""Pages that show other letters than their text layer says, by a font's table or by what is read in their place."""

import pytest
from PIL import Image

from gateway.attachments.worker import picture
from gateway.attachments.worker.parts import Budget, Parts
from tests.attachments.pdf_files import file_of, objects_of, shown, stream
from tests.attachments.read import read

pytest.importorskip("pypdfium2", reason="the extra 'documents' is not installed")
pytest.importorskip("rapidocr", reason="the extra 'documents' is not installed")

ID = "12345678Z"
TEXT = f"María Núñez, DNI {ID}, ¿qué tal? Joy of W and K, x-ray 90 % «ß» €"
OTHER_DIGITS = b"2 beginbfrange <30> <38> <0031> <20> <2F> <0020> endbfrange 1 beginbfrange <39> <7E> <0039> endbfrange"
OTHER_LETTERS = b"2 beginbfrange <20> <60> <0020> <61> <79> <0062> endbfrange"
ALL_DOTS = b"1 beginbfrange <30> <39> [%s] endbfrange 1 beginbfrange <3A> <7E> <003A> endbfrange" % (b"<2022> " * 10)
GREEK = b"2 beginbfrange <20> <60> <0020> <61> <79> <03B1> endbfrange"
TRUE = b"1 beginbfrange <20> <7E> <0020> endbfrange"


@pytest.fixture(autouse=True)
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sizes of the pages that were given to the reader of pictures, which says nothing here."""
    sizes: list[tuple[int, int]] = []

    def look(image: Image.Image, budget: Budget) -> Parts:
        sizes.append(image.size)
        yield from ()

    monkeypatch.setattr(picture, "read_rendered", look)
    return sizes


def with_tables(*tables: bytes, text: str = f"The tenant is {ID}, who was diagnosed with lung disease") -> bytes:
    """A PDF with a page for each table of letters, all of fonts with the same name."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode %d 0 R >>"
    extra = {}
    for number, table in enumerate(tables):
        extra[500 + 2 * number] = font % (501 + 2 * number)
        extra[501 + 2 * number] = stream(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <00> "
            b"<FF> endcodespacerange " + table + b" endcmap end end"
        )
    objects = objects_of([shown(text)] * len(tables), extra=extra)
    for number in range(len(tables)):
        objects[10 + 2 * number] = objects[10 + 2 * number].replace(b"/F1 3 0 R", b"/F1 %d 0 R" % (500 + 2 * number))
    return file_of(objects)


@pytest.mark.parametrize(
    "table", [OTHER_DIGITS, OTHER_LETTERS, ALL_DOTS, GREEK], ids=["digits", "letters", "dots", "Greek"]
)
def test_a_table_that_says_plausible_letters_is_not_believed(table: bytes, looked_at: list[tuple[int, int]]) -> None:
    """Only the page whose font lies is looked at, though the one before has a font of the same name."""
    said = read(with_tables(TRUE, table, TRUE))
    assert f"tenant is {ID}" in said.texts["page 1"]
    assert f"tenant is {ID}" not in said.texts["page 2"]
    assert len(looked_at) == 1


@pytest.mark.parametrize("sign", [b"2022", b"25A1"], ids=["dots", "boxes"])
def test_words_that_are_said_to_be_signs_are_looked_at(sign: bytes, looked_at: list[tuple[int, int]]) -> None:
    """Also words of letters that could each be taken for a sign."""
    table = b"1 beginbfrange <21> <7E> [%s] endbfrange 1 beginbfchar <20> <0020> endbfchar" % ((b"<%s> " % sign) * 94)
    read(with_tables(table, text="anna munoz patient positive"))
    assert len(looked_at) == 1


@pytest.mark.parametrize(
    "content",
    [
        shown(TEXT),
        shown(TEXT, size=7),
        shown(TEXT, more="0 1 -1 0 300 100 Tm"),
        shown(TEXT, more="-1 0 0 -1 500 400 Tm"),
        shown(TEXT, x=0, y=300, more="0.94 0.34 -0.34 0.94 200 100 Tm"),
        b"1 1 1 rg " + shown(TEXT),
        shown(TEXT) + b"0 0 595 842 re f",
        shown(TEXT, more="3 Tr"),
        shown(TEXT, x=2000, y=-500),
        shown("7"),
    ],
    ids=["level", "small", "upwards", "on its head", "askew", "white", "covered", "invisible", "outside", "one digit"],
)
def test_true_letters_are_believed(content: bytes, looked_at: list[tuple[int, int]]) -> None:
    """What shows its own letters, or nothing at all, need not be looked at as a page."""
    assert read(file_of(objects_of([content]))).reasons == []
    assert looked_at == []


def test_a_page_that_is_turned_is_believed(looked_at: list[tuple[int, int]]) -> None:
    """A page may lie on its side, and begin elsewhere than at nought."""
    objects = objects_of([shown(TEXT)], page=b"/Rotate 90")
    read(file_of(objects).replace(b"[0 0 595 842]", b"[9 9 604 851]"))
    assert looked_at == []


def test_what_is_read_instead_of_letters_counts_beside_them() -> None:
    """A file may say of its letters what shall be copied in their place; both go where the file goes."""
    content = b"/Span << /ActualText (nothing of note) >> BDC " + shown(f"DNI {ID}") + b"EMC " + shown("end", y=600)
    text = read(file_of(objects_of([content]))).texts["page 1"]
    assert f"DNI {ID}" in text
    assert "nothing of note" in text
