"""Everything that the wizard says has its Spanish, and says the same values."""

from pathlib import Path

from gateway.cli.init import spanish
from gateway.cli.init.profiles import PROFILES
from tests.cli.translated import assert_translated


def test_every_sentence_is_there_in_spanish():
    """What is said in English is said in Spanish, with the same values in it, and nothing else is translated."""
    in_data = {
        sentence
        for profile in PROFILES
        for sentence in (profile.title, profile.about, *(about for _, _, about in profile.aliases))
    }
    assert_translated(Path(spanish.__file__).parent, spanish.SPANISH, in_data)
