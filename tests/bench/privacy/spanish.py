"""Texts with one Spanish identifier each, in the formats and sentences that people, forms and programs write.
Seeded."""

# ruff: noqa: E501 - tables are read by their rows

import random
import string
from collections.abc import Callable, Iterator

from stdnum.es import cups, referenciacatastral

from tests.privacy.samples import a_card, a_ccc, a_cif, a_dni, a_nie, a_nss, an_iban, draw, number

Make = Callable[[random.Random], str]

CONSONANTS = "BCDFGHJKLMNPRSTVWXYZ"


def dni(rng: random.Random) -> str:
    plain = "".join(filter(str.isalnum, a_dni(rng)))
    body, letter = plain[:8], plain[8]
    dotted = f"{body[:2]}.{body[2:5]}.{body[5:]}"
    shapes = (
        plain,
        f"{body}-{letter}",
        f"{dotted}-{letter}",
        f"{body} {letter}",
        f"{dotted} {letter}",
        f"{dotted}{letter}",
    )
    return _case(rng, rng.choice((*shapes, plain, f"{body}/{letter}", f"{body[:2]} {body[2:5]} {body[5:]} {letter}")))


def nie(rng: random.Random) -> str:
    plain = "".join(filter(str.isalnum, a_nie(rng)))
    first, body, letter = plain[0], plain[1:8], plain[8]
    shapes = (plain, f"{first}-{body}-{letter}", f"{first}{body}-{letter}", f"{first} {body} {letter}")
    return _case(
        rng, rng.choice((*shapes, f"{first}-{body[0]}.{body[1:4]}.{body[4:]}-{letter}", f"{first}{body} {letter}"))
    )


def cif(rng: random.Random) -> str:
    plain = a_cif(rng)
    return _case(rng, rng.choice((plain, f"{plain[0]}-{plain[1:]}", f"{plain[0]} {plain[1:]}", f"{plain[0]}-{plain[1:8]}-{plain[8]}",
                                  f"{plain[0]}{plain[1:3]}.{plain[3:6]}.{plain[6:]}", f"ES{plain}")))  # fmt: skip


def nuss(rng: random.Random) -> str:
    plain = "".join(filter(str.isdigit, a_nss(rng)))
    gap = rng.choice(("", " ", "/", "-"))
    return gap.join((plain[:2], plain[2:10], plain[10:]))


def iban(rng: random.Random) -> str:
    plain = "".join(filter(str.isalnum, an_iban(rng)))
    gap = rng.choice(("", " ", " ", "-", "."))
    return _case(rng, gap.join(plain[at : at + 4] for at in range(0, 24, 4)))


def ccc(rng: random.Random) -> str:
    plain = "".join(filter(str.isdigit, a_ccc(rng)))
    return rng.choice(("", " ", "-")).join((plain[:4], plain[4:8], plain[8:10], plain[10:]))


def card(rng: random.Random) -> str:
    plain = "".join(filter(str.isdigit, a_card(rng)))
    gap = rng.choice(("", " ", "-", "."))
    return gap.join(plain[at : at + 4] for at in range(0, 16, 4)) if len(plain) == 16 else plain


def plate(rng: random.Random) -> str:
    gap = rng.choice(("", " ", "-"))
    new = number(rng, 4) + gap + draw(rng, CONSONANTS, 3)
    old = (
        rng.choice(("M", "B", "SE", "V", "TF"))
        + (gap or "-")
        + number(rng, 4)
        + (gap or "-")
        + draw(rng, CONSONANTS, 2)
    )
    return _case(rng, rng.choice((new, new, new, old)))


def passport(rng: random.Random) -> str:
    return _case(rng, draw(rng, string.ascii_uppercase, 3) + rng.choice(("", " ", "-")) + number(rng, 6))


def health_card(rng: random.Random) -> str:
    """Of the regions: Catalonia, Andalusia, Madrid, Valencia, Basque Country, and the number of the whole state."""
    letters = draw(rng, string.ascii_uppercase, 4)
    catalan = rng.choice(("{}{}{}{}", "{} {} {} {}")).format(letters, rng.randint(0, 1), number(rng, 6), number(rng, 3))
    return rng.choice((catalan, "AN" + number(rng, 10), number(rng, 10), number(rng, 8), "BBBBBBBB" + letters[:2] + number(rng, 6),
                       letters + number(rng, 12)))  # fmt: skip


def phone(rng: random.Random) -> str:
    first = rng.choice(("6", "6", "71", "91", "93", "954", "983", "81"))
    plain = first + "".join(rng.choice(string.digits) for _ in range(9 - len(first)))
    gap = rng.choice((" ", "-", ".", ""))
    parts = rng.choice(((3, 6), (3, 5, 7), (2, 5, 7)))
    cut = [plain[a:b] for a, b in zip((0, *parts), (*parts, 9), strict=True)]
    return rng.choice(("", "", "+34 ", "+34", "0034 ", "(+34) ")) + gap.join(cut)


def cadastre(rng: random.Random) -> str:
    while True:
        parcel = number(rng, 7) + draw(rng, string.ascii_uppercase, 2) + number(rng, 4) + rng.choice("NSW") + "0001"
        full = parcel + referenciacatastral.calc_check_digits(parcel + "XX")
        if referenciacatastral.is_valid(full):
            return full


def supply_point(rng: random.Random) -> str:
    body = "ES" + rng.choice(("0021", "0031", "0022")) + number(rng, 12)
    return rng.choice(("{}", "{}0F")).format(body + cups.calc_check_digits(body))


def mail(rng: random.Random) -> str:
    name = rng.choice(("ana.lopez", "jmartinez", "Maria_Gil", "luis+banco", "n.o'connor", "iker.etxeberria"))
    host = rng.choice(("gmail.com", "hotmail.es", "clinica-sol.es", "upm.es", "correo.empresa.com", "outlook.com"))
    return _case(rng, f"{name}{rng.choice(('', number(rng, 2)))}@{host}")


def _case(rng: random.Random, value: str) -> str:
    return value.lower() if rng.random() < 0.15 else value


ANYWHERE = (
    "{}", "Titular: {}.", "({})", "«{}»", "cliente {}, pendiente de firma", '{{"documento": "{}", "estado": "alta"}}', "<valor>{}</valor>",
    "alta;{};2024-05-03;ok", "id={}&tipo=1", "INSERT INTO personas VALUES (7, '{}', 'Soria');", "- {}\n- pendiente", "| 4 | {} | sí |",
    "Hola, me piden este dato para el contrato: {}. ¿Me redactas la carta?", "Resume: la persona con {} reclama.", "*{}*", "→ {}",
    "Translate to English: el titular es {}", "documento_{}.pdf", "¿Es válido {}?", "row = ['{}', 3, None]", "[{}]", "ref/{}/2024", "{};{}",
)  # fmt: skip
NAMED: dict[str, tuple[Make, tuple[str, ...]]] = {
    "DNI": (dni, ("DNI {}", "dni: {}", "D.N.I. nº {}", "con DNI número {} y domicilio", "NIF:{}", "DNI{}", "mi dni es el {}", "Documento de identidad: {}")),
    "NIE": (nie, ("NIE {}", "N.I.E.: {}", "con NIE {} en vigor", "tarjeta de residencia {}", "nie={}", "NIE{}", "extranjero con número {}")),
    "CIF": (cif, ("CIF {}", "C.I.F.: {}", "la mercantil con CIF {}", "NIF de la empresa {}", "VAT {}", "cif={}", "Razón social, {}")),
    "NUSS": (nuss, ("NUSS {}", "Nº Seguridad Social: {}", "número de afiliación {}", "NAF: {}", "nº SS {}", "número de la Seguridad Social es {}", "n.º afiliación: {}")),
    "IBAN": (iban, ("IBAN {}", "IBAN: {}.", "domiciliar en {}", "cuenta {} a nombre de mi madre", "iban={}", "ingresa 30 € en {} hoy")),
    "CCC": (ccc, ("CCC {}", "cuenta corriente {}", "nº de cuenta: {}", "ingreso en {}", "c/c {}")),
    "card": (card, ("tarjeta {}", "nº de tarjeta: {}", "VISA {} cad 12/27", "paga con {} cvv 123", "pan={}")),
    "plate": (plate, ("matrícula {}", "el coche {} está mal aparcado", "vehículo con matrícula: {}", "multa al {} , un turismo", "mi moto, {}", "Matricula {}", "furgoneta matrícula {}")),
    "passport": (passport, ("pasaporte {}", "Pasaporte nº {}", "pasaporte español {}", "nº de pasaporte: {}", "passport number {}", "pasaporte: {}")),
    "health card": (health_card, ("tarjeta sanitaria {}", "CIP {}", "Nº tarjeta sanitaria: {}", "TSI: {}", "CIP autonómico: {}", "código de identificación personal {}", "su tarjeta sanitaria es {}", "nº de tarjeta sanitaria individual {}")),
    "phone": (phone, ("tel. {}", "teléfono: {}", "llámame al {}", "móvil {}", "Tfno: {}", "mi número es {}", "contacto {}", "WhatsApp {}", "Telf.{}", "fijo: {}")),
    "cadastre": (cadastre, ("referencia catastral {}", "Ref. catastral: {}", "finca con referencia {}")),
    "supply point": (supply_point, ("CUPS {}", "cups: {}", "punto de suministro {}")),
    "e-mail": (mail, ("correo {}", "e-mail: {}", "mailto:{}", "escríbeme a {}", "Ana <{}>", "<{}>", "{}; otro")),
}  # fmt: skip
BARE = ("DNI", "NIE", "IBAN", "card", "cadastre", "supply point", "e-mail", "CIF")
"""These carry a control character or a shape of their own, and must be found without any word beside them."""


def texts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Kind and text; `each` of every kind."""
    rng = random.Random(seed)
    for kind, (make, named) in NAMED.items():
        for turn in range(each):
            value = make(rng)
            shape = rng.choice(named)
            if kind in BARE and turn % 2:
                shape = rng.choice(ANYWHERE)
            elif turn % 4 == 2:
                shape = rng.choice(
                    ("Hola,\n{}\nGracias.", "{} Necesito un escrito formal.", "Resume esto: {}", "Nota: {} - fin")
                ).format(shape)
            yield kind, shape.replace("{}", value).replace("{{", "{").replace("}}", "}")
