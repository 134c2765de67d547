"""Values of made-up people in the words that documents use, and passages that are nobody's. Seeded."""

# ruff: noqa: E501 - tables are read by their rows

import random
from collections.abc import Callable

import msgspec

from tests.bench.privacy.spanish import passport, phone
from tests.privacy.samples import a_card, a_dni, a_nie, a_nss, a_plate, an_email, an_iban, an_nhs, an_ssn, number

Make = Callable[[random.Random], str]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A value, its kind, and the words in which a document tells it."""

    kind: str
    label: str
    value: str

    @property
    def told(self) -> str:
        """The value behind its label."""
        return f"{self.label}: {self.value}"


def _english_phone(rng: random.Random) -> str:
    return rng.choice(("+44 7700 900{}", "+1 415-555-0{}", "+44 20 7946 0{}")).format(number(rng, 3))


def _english_passport(rng: random.Random) -> str:
    return number(rng, 9)


def _diagnosis(rng: random.Random) -> str:
    name = rng.choice(("Lucía Etxeberria Ruiz", "Javier Muñoz Ortega", "Pilar Iglesias Cano"))
    what = rng.choice(
        (
            "carcinoma ductal infiltrante de mama",
            "VIH positivo en tratamiento",
            "trastorno bipolar tipo I",
            "esclerosis múltiple remitente",
        )
    )
    return f"{name}, de {rng.randint(25, 80)} años, padece {what} y está de baja médica"


def _english_diagnosis(rng: random.Random) -> str:
    name = rng.choice(("Margaret Holloway", "Daniel Okafor", "Susan Whitcombe"))
    what = rng.choice(("metastatic breast cancer", "HIV", "bipolar disorder", "multiple sclerosis"))
    return f"{name}, aged {rng.randint(25, 80)}, was diagnosed with {what} and is on sick leave"


def _salary(rng: random.Random) -> str:
    return f"{rng.choice(('Marta Llorente Puig', 'Andrés Domínguez Soler'))} cobra {rng.randint(22, 68)}.{number(rng, 3)},00 € brutos al año y tiene el sueldo embargado"


def _english_salary(rng: random.Random) -> str:
    return f"{rng.choice(('Helen Marsh', 'Robert Ashdown'))} earns £{rng.randint(22, 68)},{number(rng, 3)} a year and her wages are garnished for debt"


FACTS: dict[str, tuple[tuple[str, str, Make], ...]] = {
    "es": (
        ("DNI", "DNI", a_dni), ("NIE", "NIE", a_nie), ("IBAN", "IBAN", an_iban), ("card", "Tarjeta", a_card),
        ("phone", "Teléfono", phone), ("e-mail", "Correo electrónico", an_email), ("passport", "Pasaporte", passport),
        ("plate", "Matrícula", a_plate), ("NSS", "Nº Seguridad Social", a_nss),
        ("diagnosis", "Observaciones", _diagnosis), ("salary", "Nota de personal", _salary),
    ),
    "en": (
        ("NHS", "NHS number", an_nhs), ("SSN", "Social security number (SSN)", an_ssn), ("IBAN", "IBAN", an_iban),
        ("card", "Card number", a_card), ("phone", "Phone", _english_phone), ("e-mail", "E-mail", an_email),
        ("passport", "Passport number", _english_passport),
        ("diagnosis", "Remarks", _english_diagnosis), ("salary", "Staff note", _english_salary),
    ),
}  # fmt: skip
_SENTENCES = frozenset({"diagnosis", "salary"})


def fact(rng: random.Random, language: str, *, short: bool = False) -> Fact:
    """Return any fact of a language; `short`: an identifier, no sentence."""
    rows = [row for row in FACTS[language] if not short or row[0] not in _SENTENCES]
    kind, label, make = rng.choice(rows)
    return Fact(kind=kind, label=label, value=make(rng))


def named(rng: random.Random, language: str, kind: str) -> Fact:
    """Return a fact of this kind."""
    _, label, make = next(row for row in FACTS[language] if row[0] == kind)
    return Fact(kind=kind, label=label, value=make(rng))


PASSAGES: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "es": (
        ("Tortilla de patatas", (
            "Ingredientes para cuatro raciones: seis huevos, un kilo de patatas, una cebolla y aceite de oliva.",
            "Se cortan las patatas en láminas finas y se fríen a fuego lento durante veinte minutos.",
            "Se baten los huevos, se mezclan con las patatas escurridas y se cuaja la tortilla por los dos lados.")),
        ("Manual de la cafetera", (
            "Llene el depósito de agua hasta la marca superior antes de encender el aparato.",
            "Coloque el filtro, añada dos cucharadas de café molido y cierre la tapa.",
            "Descalcifique la máquina cada tres meses con una solución suave de vinagre.")),
        ("Informe anual de energía renovable", (
            "La potencia eólica instalada creció un 6,2 % durante el último ejercicio.",
            "La producción solar alcanzó 37 teravatios hora, un nuevo máximo histórico.",
            "El almacenamiento por bombeo sigue siendo la tecnología principal para cubrir las puntas de demanda.")),
        ("Ficha del producto: estantería de pino", (
            "Medidas: 180 cm de alto, 80 cm de ancho y 30 cm de fondo. Peso: 14 kg.",
            "Cinco baldas regulables, barniz al agua y tornillería incluida.",
            "Limpie la superficie con un paño húmedo y evite la luz directa del sol.")),
    ),
    "en": (
        ("Lentil soup", (
            "Ingredients for four servings: 300 g of lentils, two carrots, one onion and a litre of stock.",
            "Soften the onion in olive oil, add the carrots and stir for five minutes.",
            "Add the lentils and the stock, then simmer gently for thirty minutes until tender.")),
        ("Bicycle maintenance guide", (
            "Check the tyre pressure every two weeks and keep it within the range printed on the sidewall.",
            "Clean the chain with a dry cloth and apply one drop of oil to each link.",
            "Replace the brake pads when less than one millimetre of material is left.")),
        ("Public transport report", (
            "The number of journeys by tram rose by 4.8 % over the previous year.",
            "Average punctuality reached 93 %, with the best results on the northern lines.",
            "Two new stations opened in spring and the fleet was extended by twelve vehicles.")),
        ("Product sheet: garden table", (
            "Dimensions: 160 cm long, 90 cm wide and 74 cm high. Weight: 22 kg.",
            "The top is made of oiled acacia wood and the frame of powder-coated steel.",
            "Cover the table in winter and treat the wood with oil once a year.")),
    ),
}  # fmt: skip
HARMLESS = {
    "es": "Revisado por el equipo de calidad del catálogo",
    "en": "Reviewed by the quality team of the catalogue",
}


def passage(rng: random.Random, language: str) -> tuple[str, tuple[str, ...]]:
    """Return a title and sentences that are nobody's."""
    return rng.choice(PASSAGES[language])
