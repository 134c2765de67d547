"""`docs/memory.md` promises nothing that no test holds."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "memory.md"


def test_each_row_of_the_page_is_a_test() -> None:
    """Whoever renames or removes a test of the memory changes the page with it."""
    written = "".join(file.read_text() for file in HERE.glob("test_taint*.py"))
    named = re.findall(r"`(test_[a-z_]+)`", PAGE.read_text())
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in written] == []
