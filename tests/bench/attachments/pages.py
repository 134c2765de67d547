"""Pages of a Spanish hospital with identifiers in them, all invented, as a printer and a bad scanner leave them."""

import random

import msgspec
from PIL import Image
from stdnum.es import ccc

from tests.attachments.drawn import SANS, SERIF, page, scanned

_CHECK = "TRWAGMYFPDXBNJZSQVHLCKE"
_FILLING = (
    "La paciente acude a consulta por dolor lumbar de tres semanas de evolución, sin fiebre ni",
    "pérdida de peso. Exploración: contractura paravertebral, maniobra de Lasègue negativa. Se solicita",
    "analítica completa y radiografía. Se pauta paracetamol 1 g cada 8 horas y reposo relativo.",
    "Antecedentes: hipertensión arterial en tratamiento con enalapril 20 mg, alergia a la penicilina.",
    "Próxima revisión en quince días; si empeora, acudirá a urgencias. ¿Precisa baja laboral? Sí.",
    "El informe se remite a la mutua con el consentimiento firmado de la interesada.",
)


class Case(msgspec.Struct, frozen=True):
    """A page, and the identifiers in it."""

    image: Image.Image
    identifiers: tuple[str, ...]


def written(seed: int) -> tuple[list[str], tuple[str, ...]]:
    """Lines of a page, and the identifiers in them."""
    dice = random.Random(seed)
    ids = [*_identifiers(dice), *_identifiers(dice)]
    dni, nie, iban, phone, mail, card, other, _, second, mobile, address, _ = ids
    lines = [
        "Informe clínico de alta",
        "Hospital General de San Andrés · Servicio de Traumatología",
        "",
        f"Paciente: María Núñez Ibáñez    DNI: {dni}",
        f"Teléfono: {phone}    NIE del acompañante: {nie}",
        f"Correo: {mail}",
        *("", *_FILLING, ""),
        f"Cuenta para el reembolso: {iban}",
        f"Tarjeta: {card}",
        *("", *_FILLING, ""),
        f"Segundo contacto: José Luis García, {mobile}, DNI {other}.",
        f"Transferir a {second} antes del día 30; avisar a {address}.",
        *("", *_FILLING, ""),
        "Firmado: Dra. Lucía Pérez Ordóñez, colegiada 28/12345",
    ]
    return lines, (dni, nie, iban, phone, mail, card, other, second, mobile, address)


def _identifiers(dice: random.Random) -> tuple[str, ...]:
    number, foreign = dice.randrange(10**7, 10**8), dice.randrange(10**6, 10**7)
    branch, account = f"{dice.randrange(10**8):08d}", f"{dice.randrange(10**10):010d}"
    domestic = branch + ccc.calc_check_digits(f"{branch}00{account}") + account
    iban = f"ES{98 - int(domestic + '142800') % 97:02d}{domestic}"
    digits = f"4{dice.randrange(10**14):014d}"
    doubled = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    card = digits + str(-doubled % 10)
    return (
        f"{number}{_CHECK[number % 23]}",
        f"X{foreign:07d}{_CHECK[foreign % 23]}",
        " ".join(iban[at : at + 4] for at in range(0, 24, 4)),
        f"6{dice.randrange(10, 99)} {dice.randrange(100, 999)} {dice.randrange(100, 999)}",
        dice.choice(("maria.nunez", "jose_luis.garcia", "lucia-ibanez")) + f"{dice.randrange(100)}@correo.example.es",
        " ".join(card[at : at + 4] for at in range(0, 16, 4)),
    )


CONDITIONS: dict[str, dict[str, float]] = {
    "clean": {},
    "8 points": {"points": 8},
    "100 dpi": {"dpi": 100},
    "noise": {"noise": 12, "blur": 0.6, "quality": 60},
    "much noise": {"noise": 28, "blur": 0.9, "quality": 40},
    "2° askew, noise": {"turned": 2, "noise": 8, "quality": 75},
    "7° askew, noise": {"turned": -7, "noise": 8, "quality": 75},
    "on its side": {"turned": 90, "noise": 8, "quality": 75},
    "on its head": {"turned": 180, "noise": 8, "quality": 75},
}


def cases(condition: str, count: int) -> list[Case]:
    """Pages in one condition, in turn with and without serifs."""
    options = dict(CONDITIONS[condition])
    form = {name: options.pop(name) for name in ("points", "dpi") if name in options}
    found = []
    for seed in range(count):
        lines, identifiers = written(seed)
        drawn = page(
            lines,
            points=form.get("points", 10),
            dpi=int(form.get("dpi", 150)),
            path=SERIF if seed % 2 else SANS,
        )
        quality = options.get("quality")
        image = scanned(
            drawn,
            turned=options.get("turned", 0),
            noise=options.get("noise", 0),
            blur=options.get("blur", 0),
            quality=int(quality) if quality else None,
        )
        found.append(Case(image, identifiers))
    return found
