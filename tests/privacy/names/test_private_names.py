"""Whose a name is: a private person's near the writer, or one of history, arithmetic, literature or a place."""

import pytest

from gateway.privacy.names.private_names import Surroundings, is_private_name
from gateway.privacy.names.spans import spans_of


def private(marked: str, **more: float) -> bool:
    """Decide about the name between brackets."""
    before, _, rest = marked.partition("[")
    name, _, after = rest.partition("]")
    return is_private_name(before + name + after, (len(before), len(before) + len(name)), **more)


@pytest.mark.parametrize(
    "text",
    [
        "Draft a reference letter for [Tobias Brennan], who worked in my team.",
        "Move [Gonzalo]'s appointment to Thursday.",
        "Escríbele a [Nerea] que no puedo ir.",
        "Recuérdale a [Toñi] que tome la pastilla.",
        "dile a [lucía barrantes] que la prueba se cambia al lunes",
        "NOTA: [CARMEN ARIZMENDI] SALIÓ DEL CENTRO SIN FIRMAR.",
        "En [Jordi] diu que vol deixar la feina. Com li contesto?",
        "La [Núria] no vol venir al sopar.",
        "Escribe a [M. Urrutia] que su plaza no se renueva.",
        "Resume lo que dijo [J. L. Pérez] de su compañera.",
        "My patient [Isabel Allende] has missed her appointment.",
        "Mi ex, [Álvaro], me escribe por las noches.",
        "How do I tell [Lorenzo] that he didn't get the promotion?",
    ],
)
def test_private(text: str) -> None:
    """Full names, small letters, capitals, articles and initials count, and first names in a task about somebody."""
    assert private(text)


@pytest.mark.parametrize(
    "text",
    [
        "[Ada Lovelace] (1815–1852) was an English mathematician.",
        "[Marcia Peel] has 4 apples and gives 2 to Tom. How many apples are left?",
        "In the novel Middlemarch by George Eliot, [Dorothea Brooke] marries a scholar.",
        "The prize was shared by [Antony Hewish] in 1974; the Nobel committee had left out Jocelyn Bell.",
        "Transformers were introduced by [Vaswani] et al. (2017).",
        "Nos vemos en la calle [Carmen Romero] a las ocho.",
        "The [Margaret Sullivan] Foundation is hiring.",
        "Write a story about a knight called [Ember Walsh].",
        "Tell me what [Albert Einstein] said about time.",
        "// Copyright 2019 [John Smithers], all rights reserved",
        "[Luis Cuadrado] fotografió la película en 1973.",
        "[Amy] and her sister were quick.",
    ],
)
def test_nobody(text: str) -> None:
    """Names of history, arithmetic, works, citations, places, stories and licences are nobody's data by themselves."""
    assert not private(text)


def test_a_judge_that_says_nobody_is_heard_in_prose_and_not_in_forms() -> None:
    """From a probability of 0.8 a name in prose does not count; who is introduced or stands in a form still does."""
    prose, form = "They met [Helen Kowalczyk] at the lake.", "Patient: [Helen Kowalczyk], room 4"
    assert [private(prose, nobody=likely) for likely in (0.0, 0.8, 0.9)] == [True, True, False]
    assert private(form, nobody=0.99)


@pytest.mark.parametrize(
    ("text", "labelled", "expected"),
    [
        ("Ask J. L. Pérez now", ["Pérez"], ["J. L. Pérez"]),
        ("Escriu a la Montserrat Puigdomènech", [], ["Montserrat Puigdomènech"]),
        ("digue-li a l'Oriol que vingui", ["digue"], ["Oriol"]),
        ("escribe a manuel echeverría que no", ["manuel"], ["manuel echeverría"]),
        ("My colleague Petra cries all day", ["Petra", "cries"], ["Petra"]),
        ("She married Edward Casaubon. The doctor left", ["Edward", "Casaubon"], ["Edward Casaubon"]),
        ("Hope is all we have, and grace", [], []),
    ],
)
def test_names_are_whole(text: str, labelled: list[str], expected: list[str]) -> None:
    """A name has its initials and surnames, no verb beside it, and common ones need no model."""
    places = [(text.index(word), text.index(word) + len(word)) for word in labelled]
    assert [text[start:end] for start, end in spans_of(Surroundings(text), places)] == expected
