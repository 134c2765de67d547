"""What reading an attachment costs: text of PDFs and office documents, beside other readers of the same files.

Run: `python -m tests.bench.attachments`. Ours goes through the worker process, with annotations, metadata and walls;
the others read the text in this process (pypdf, markitdown where it is installed) or in one of their own (pdftotext).
Prints medians and ratios; asserts nothing.
"""

import asyncio
import importlib.util
import io
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from gateway.attachments.reader import AttachmentReader, ReaderSettings
from tests.attachments.pdf_files import file_of, objects_of, shown
from tests.attachments.zip_files import docx, xlsx

ROUNDS = 15
LINE = "On the {} of November the patient came back for the results of the tests that were asked for in line {}."


def pdf_of(pages: int, mark: int) -> bytes:
    """A PDF of full pages; no two marks give the same file, so that nothing is answered from memory."""
    contents = [
        b"".join(shown(LINE.format(mark, line), y=800 - 15 * line, size=9) for line in range(50)) for _ in range(pages)
    ]
    return file_of(objects_of(contents))


def docx_of(pages: int, mark: int) -> bytes:
    """A text document of as many lines."""
    return docx("".join(f"<w:p><w:r><w:t>{LINE.format(mark, line)}</w:t></w:r></w:p>" for line in range(50 * pages)))


def xlsx_of(rows: int, mark: int) -> bytes:
    """A sheet of ten columns."""
    cells = "".join(f"<c><v>{mark + column}</v></c>" for column in range(10))
    return xlsx(f"<sheetData>{f'<row>{cells}</row>' * rows}</sheetData>")


def with_pypdf(data: bytes) -> int:
    """Letters that pypdf reads."""
    import pypdf

    return sum(len(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def with_pdftotext(data: bytes) -> int:
    """Letters that poppler's program reads."""
    return len(subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True).stdout)


def with_markitdown(data: bytes) -> int:
    """Letters that markitdown reads."""
    import markitdown

    return len(markitdown.MarkItDown().convert_stream(io.BytesIO(data)).text_content)


def others() -> dict[str, Callable[[bytes], int]]:
    """Other readers that are installed here."""
    found: dict[str, Callable[[bytes], int]] = {}
    if importlib.util.find_spec("pypdf"):
        found["pypdf"] = with_pypdf
    if shutil.which("pdftotext"):
        found["pdftotext"] = with_pdftotext
    if importlib.util.find_spec("markitdown"):
        found["markitdown"] = with_markitdown
    return found


async def median(read: Callable[[bytes], Awaitable[object]], files: list[bytes]) -> tuple[float, float]:
    """Return the median and the longest time of reading each file, in milliseconds."""
    times: list[float] = []
    for data in files:
        start = time.perf_counter()
        await read(data)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times), max(times)


async def main() -> None:
    """Measure each kind, and what is known already."""
    reader = AttachmentReader(ReaderSettings())
    start = time.perf_counter()
    await reader.read(b"first")
    print(f"start of the process: {1000 * (time.perf_counter() - start):.0f} ms")
    kinds: dict[str, Callable[[int], bytes]] = {
        "PDF, 10 pages": lambda mark: pdf_of(10, mark),
        "PDF, 100 pages": lambda mark: pdf_of(100, mark),
        "DOCX, 10 pages": lambda mark: docx_of(10, mark),
        "XLSX, 10,000 cells": lambda mark: xlsx_of(1000, mark),
    }
    for name, make in kinds.items():
        files = [make(100_000_000 + number) for number in range(ROUNDS)]
        ours, longest = await median(reader.read, files)
        known, _ = await median(reader.read, files)
        print(f"{name}: {ours:.1f} ms (longest {longest:.1f}), known already {known:.2f} ms, {len(files[0]):,} bytes")
        for other, function in others().items():
            if name.startswith("PDF") or other == "markitdown":

                async def theirs(data: bytes, function: Callable[[bytes], int] = function) -> None:
                    function(data)

                time_of_other, _ = await median(theirs, files)
                print(f"    {other}: {time_of_other:.1f} ms, ours takes {ours / time_of_other:.2f} of that")
    await reader.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
