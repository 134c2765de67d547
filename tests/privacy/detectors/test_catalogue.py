"""The page of detectors says what the code does."""

from pathlib import Path

from gateway.privacy import CATEGORIES
from gateway.privacy.detectors import catalogue
from gateway.privacy.detectors.registry import FOUND


def test_the_page_is_current() -> None:
    """Made again by `python -m gateway.privacy.detectors.catalogue > gateway/privacy/DETECTORS.md`."""
    assert (Path(catalogue.__file__).parents[1] / "DETECTORS.md").read_text("utf-8") == catalogue.page()


def test_policies_know_every_category_that_is_found() -> None:
    """The list that policies are read with names what detectors and the judge find, and nothing else."""
    assert CATEGORIES == FOUND


def test_every_category_is_on_the_page() -> None:
    """Every category is on the page, also those of the vendors' rules."""
    assert all(f"`{category}`" in catalogue.page() for category in CATEGORIES)
