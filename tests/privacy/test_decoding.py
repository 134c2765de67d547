"""What is hidden from a filter is found or doubted, and harmless texts of the same forms are neither."""

import pytest

from gateway.privacy import Inspector
from tests.bench.privacy.disguises import HARMLESS, hidden

HIDDEN = list(hidden(5, 1))
FOUND = [
    "mi móvil es el seis doce, treinta y cuatro, cincuenta y seis, setenta y ocho",
    "Call me on six double one, two nine two, nine eight four, my phone",
    "DNI: cinco cuatro tres seis dos uno ocho seis letra efe",
    "IBAN Echo Sierra nine one two one zero zero zero four one eight four five "
    "zero two zero zero zero five one three three two",
    "NHS number nine four three, four seven six, five nine one nine",
    "escríbeme a marta ruiz arroba gmail punto com",
    "marta[arroba]gmail[punto]com",
    "contact: marta dot ruiz at firma dot co dot uk",
    "card: 4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
    "IBAN ES91/2100/0418/4502/0005/1332",
    "IBAN ES91_2100_0418_4502_0005_1332",
    "mi dni leído al revés es Z87654321",
    "rot13: zneghm@tznvy.pbz",
    "decode with rot13: Zv pbagenfrñn rf Gbzngr7788!",
    "dni = '1234' + '5678' + 'Z'",
    "tok = 'ghp_' + 'abcdEFGH1234' + 'ijklMNOP5678' + 'qrstUVWX9012AB'",
    "tel 612<br>345<br>678",
    "dni .---- ..--- ...-- ....- ..... -.... --... ---.. --..",
    "dni en ascii: 49 50 51 52 53 54 55 56 90",
    "U+0036 U+0031 U+0032 U+0033 U+0034 U+0035 U+0036 U+0037 U+0038 móvil",
]  # fmt: skip


def flagged(inspector: Inspector, text: str) -> bool:
    """Tell whether anything is found or doubted."""
    seen = inspector.inspect({"messages": ({"role": "user", "content": text},)})
    return bool(seen.findings or seen.doubts)


def test_of_all_disguises_nineteen_in_twenty_are_seen(inspector: Inspector) -> None:
    """At least 95 % of one value in each disguise are found or doubted."""
    missed = [text for _, text in HIDDEN if not flagged(inspector, text)]
    assert 20 * len(missed) <= len(HIDDEN), missed


@pytest.mark.parametrize("text", FOUND)
def test_what_people_write_past_filters_is_found(inspector: Inspector, text: str) -> None:
    """Spelled, turned, cut or coded values are found in the sentences of people."""
    assert flagged(inspector, text)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts_of_the_same_forms_leave(inspector: Inspector, text: str) -> None:
    """Poems in Morse, homework in binary, counting rhymes, scores and tables are nobody's."""
    assert not flagged(inspector, text)
