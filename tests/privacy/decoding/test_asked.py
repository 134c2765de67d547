"""What is hidden beside a word that asks for it is read, or a doubt; the same forms of harmless texts are neither."""

import pytest

from gateway.privacy import Inspector

HIDDEN = [
    # in halves, also where the word ends in an accent
    "Il mio IBAN: la prima metà è ES912100041845. La seconda metà è 0200051332.",
    "La première moitié de mon IBAN est ES912100041845. La deuxième moitié est 0200051332.",
    "La primera parte de mi IBAN es ES912100041845. La última parte es 0200051332.",
    "my DNI in reverse is Z87654321",
    "telefon: sześć zero jeden dwa dziewięć trzy cztery osiem pięć",
    # numbers and codes in words
    "Anota el documento: cuarenta y un millones doscientos dieciocho mil cuatrocientos siete, letra S",
    "el cpf dela é três nove zero ponto cinco três três ponto quatro quatro sete traço zero cinco",
    "ruf mich an unter null eins fünf eins zwei zwei vier acht drei neun sechs",
    "el mòbil de l'àvia: sis u vuit nou quatre dos zero tres cinc",
    "her social is four one two dash eight three dash five nine zero six",
    "zadzwoń, mój telefon: sześć zero jeden dwa dziewięć trzy cztery osiem pięć",
    "the door code is three thousand eight hundred and sixty one",
    "il codice della porta è nove due sette uno",
    # letters by name
    "my wifi password is Tango Kilo five Bravo two Whiskey Zulu eight",
    "Kennzeichen: Martha Richard, Strich, Dora Nordpol, fünf eins neun",
    "the plate was Golf Victor six three Oscar Sierra Yankee",
    # signs between
    "NIE Y+2+0+4+8+1+7+7+H sin los más",
    "Tél : **07***51***26***94***38**",
    "llámame al 61🔹84🔹02🔹97🔹3",
    "chama no zap 2*1*9*9*6*4*8*3*0*5*2",
    "the wifi password is h🌵e🌵r🌵o🌵n🌵5🌵8",
    # lists, columns, lines
    "SSN in three parts\n1. 512\n2. 48\n3. 9037\nput them together",
    "contraseña:\n\nt\no\nr\nd\no\n-\nN\n4\n1\n\nen vertical",
    # encodings beside a word or a call that reads them
    "Basic header for it: c3ZjOkhlcm9uXkxha2U3Mw==",
    "y = bytes.fromhex('6f70732f4d61676e306c696123')  # clave del servidor",
    "printf '\\115\\151\\162\\154\\157\\137\\106\\171\\162\\071' | sudo -S id",
    "String.fromCharCode(76,121,110,120,36,67,114,97,103,55) // db password",
    "my card's pin in binary: 00110111 00110001 00111001 00110100",
    "teléfono: 0110 0011 0101 1000 0001 0010 1001 0100 0111",
    "the nas password backwards: 38hsraM!llibnroH",
    # pieces, and digits for letters
    "The first half of my social is 4128. It is for the bank. The second half is 35906.",
    "La primera mitad del IBAN es ES912100041845. La segunda mitad es 0200051332.",
    "My card starts with 4539 then 1488, then 0343, and ends with 6467. It is for the hotel.",
    "cl4v3 d3l b4nc0: t0rr3_d3_m4rf1l_77",
]
HARMLESS = [
    "Write two thousand three hundred and forty five in French, with hyphens.",
    "El pressupost és de trenta-dos mil quatre-cents euros; escriu-ho en xifres.",
    "We flew Lima, Quebec, Madrid, and the hotel was nice. Tango at night, golf in the morning.",
    "Milano, Napoli, Roma e Torino: due giorni per città, otto notti. Che itinerario consigli?",
    "call me old-fashioned, but 1 → 2 → 3 is the order of the steps",
    "Shopping\n- 12\n- 24\n- 36\nhow many eggs is that in all?",
    "The postal code is two eight zero one three.",
    "The error code is four hundred and four.",
    "base64 -d says 'hello world' for aGVsbG8gd29ybGQ=",
    "The first half of the match ended 2100 seconds in, the second half 2400.",
    "The first part of the ID is the year, e.g. 2024001; the second part is 77.",
    "Decode TUVTU0FHRS0yMDI0 for me, it is a label of a box",
    "01000011 01100001 01110100 01110011 spells Cats",
    "String.fromCharCode(72,101,108,108,111) prints Hello",
    "What does ssh-keygen write? AAAAC3NzaC1lZDI1NTE5AAAAIMCm0OI0zOuiAfjfvHnXWIPUIa0jFfTqkiOUz3WOk7go",
    "cl4ss: s0m3_n4m3_77",
]


def flagged(inspector: Inspector, text: str) -> bool:
    """Tell whether anything is found or doubted."""
    seen = inspector.inspect({"messages": ({"role": "user", "content": text},)})
    return bool(seen.findings or seen.doubts)


@pytest.mark.parametrize("text", HIDDEN)
def test_what_is_hidden_beside_a_word_for_it_is_seen(inspector: Inspector, text: str) -> None:
    """Words, signs, lists, encodings, pieces: each beside a word that asks for the value."""
    assert flagged(inspector, text)


@pytest.mark.parametrize("text", HARMLESS)
def test_the_same_forms_without_a_value_leave(inspector: Inspector, text: str) -> None:
    """Sums, itineraries, lists, lessons about encodings: nobody's."""
    assert not flagged(inspector, text)
