"""Texts of a PDF's objects that no function of PDFium's asks for."""

import pytest

from gateway.attachments.worker.parts import Budget, Limits
from gateway.attachments.worker.pdf.objects import texts
from tests.attachments.pdf_files import file_of, objects_of, shown, stream
from tests.attachments.read import read

pytest.importorskip("pypdfium2", reason="the extra 'documents' is not installed")

ID = b"12345678Z"


def with_object(content: bytes) -> bytes:
    """A PDF of one page, and an object that nothing leads to."""
    return file_of(objects_of([shown("a page")], extra={500: content}))


@pytest.mark.parametrize(
    "content",
    [
        b"<< /Case (%s) >>" % ID,
        b"<< /Case (a \\(b\\) (nested) %s) >>" % ID,
        b"<< /Case (\\061\\062345678Z) >>",
        b"<< /Case <%s> >>" % ID.hex().encode(),
        b"<< /Case <feff%s> >>" % ID.decode().encode("utf-16-be").hex().encode(),
        b"% " + ID + b"\n<< >>",
        stream(b"<</A 1>> (%s)" % ID, b"/Type /ObjStm /N 1 /First 0", packed=True),
        stream(b"<?xpacket begin=''?><a>%s</a>" % ID, packed=True),
    ],
    ids=["string", "nested", "octal", "hexadecimal", "UTF-16", "comment", "packed object", "XML of no type"],
)
def test_words_under_keys_that_nobody_knows_are_read(content: bytes) -> None:
    """A file can hold somebody's number where no program shows it; it leaves with the file all the same."""
    assert ID.decode() in read(with_object(content)).all


def test_brackets_without_end_take_no_time() -> None:
    """What only looks like strings is passed over, in time that grows with the file."""
    assert list(texts(b"(" * 200_000, Budget(Limits()))) == []
