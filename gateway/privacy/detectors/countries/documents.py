"""Documents of every country, and numbers that are only called what they are: passports, licences, plates, "my tax number".

A table of data. Nothing is checked but the shape, so the word has to stand before the number.
"""

# ruff: noqa: E501 - a row in one piece can be read and searched for

from re import Match

from gateway.privacy.detectors.countries.number import Number
from gateway.privacy.detectors.detector import digits
from gateway.privacy.patterns import late

_BOARD = late(
    r"(?i)placas?\s(?:base|madre|solar|de\s(?:video|sonido|desarrollo))|arduino|\bpcb\b|motherboard|elisa|petri"
)
_LEAST = 5  # digits of a document's number


def _numbered(match: Match[str]) -> bool:
    """Tell whether it has the digits of a document's number, and not one digit again and again."""
    number = digits(match["value"])
    return len(number) >= _LEAST and len(set(number)) > 1


def _passport(match: Match[str]) -> bool:
    """Tell whether it has a letter, or the digits of a passport without one."""
    value = match["value"]
    return _numbered(match) and (len(digits(value)) >= _DIGITS_ALONE or any(map(str.isalpha, value)))


_DIGITS_ALONE = 8


def _plate(match: Match[str]) -> bool:
    """Tell whether it is a vehicle's: letters and digits, and no board of a computer."""
    value = match["value"]
    around = match.string[max(0, match.start() - 40) : match.end("value") + 30]
    mixed = any(c.isalpha() for c in value) and any(c.isdigit() for c in value)
    return mixed and _BOARD.search(around) is None


NUMBERS: tuple[Number, ...] = (
    Number(module="all.passport", category="id.passport", shape="U6-10", led=True, check=_passport, title="Passport",
           words="passport|passport no|passport number|pasaporte|número de pasaporte|passeport|numéro de passeport|Reisepass|Reisepassnummer|Reisepass-Nr|Passnummer|Pass-Nr|passaporto|passaporte|passaport|paspoort|paspoortnummer"),
    Number(module="all.licence", category="id.licence", shape="U7-18", led=True, check=_numbered, title="Driving licence",
           words="driving licence|driving license|driver's license|driver's licence|driver license|drivers license|drivers licence|DL number|permis de conduire|permis n|Führerschein|Führerscheinnummer|Führerschein-Nr|patente di guida|carta de condução|CNH!|carteira de motorista|carteira de habilitação|carnet de conducir|carné de conducir|permiso de conducir|permiso de conducción|licencia de conducir|licencia de conducción|licencia de manejo|brevete|carnet de conduir|permís de conduir|permis de conduir|rijbewijs|rijbewijsnummer"),
    Number(module="all.plate", category="id.plate", led=True, check=_plate, title="Vehicle plate (AR, BR, CL, CO, DE, FR, GB, IT, MX, NL, PE, PT, US)",
           shape=r"(?<![0-9A-Za-z]-)(?-i:[A-Z]{2}[-\x20]?[0-9]{3}[-\x20]?[A-Z]{2}|[A-Z]{2}[0-9]{2}[-\x20]?[A-Z]{3}|[A-Z]{3}[-\x20]?[0-9][0-9A-Z][0-9]{2}|[A-Z]{3}[-\x20]?[0-9]{2,4}(?:[-\x20]?[A-Z0-9]{1,2})?|[A-ZÄÖÜ]{1,3}[-\x20][A-Z]{1,2}[-\x20]?[0-9]{1,4}[EH]?|[0-9A-Z]{2}-[0-9A-Z]{2,3}-[0-9A-Z]{1,2}|[A-Z]{4}[-\x20]?[0-9]{2}|[A-Z]{2}[-\x20][A-Z]{2}[-\x20][0-9]{2}|[A-Z][0-9A-Z]{2}-[0-9]{3}|[0-9]{3}[-\x20]?[A-Z]{3}|[0-9][A-Z]{3}[0-9]{3}|[0-9]-[A-Z]{3}-[0-9]{3})",
           words="license plate|licence plate|number plate|plate|plates|reg number|registration|tag number|placa|placas|patente|dominio|matrícula|coche|carro|targa|targato|targata|plaque|plaque d'immatriculation|immatriculation|immatriculée|immatriculé|voiture|véhicule|Kennzeichen|KFZ|Nummernschild|kenteken|nummerplaat|cotxe|matriculat|veículo|vehículo|camioneta|moto"),
    Number(module="all.national", category="id.national", shape="U6-18", led=True, check=_numbered, title="Identity number, by its name alone",
           words="national id|national id number|national identity|national identification|national insurance|identity number|identity card|identity card number|ID card|personal id|personal number|personal code|personal identity code|birth number|citizen id|citizenship number|Ausweisnummer|Personalausweis|Personalausweisnummer|numéro d'identité|carte d'identité|documento de identidad|documento d'identità|document d'identitat|carta d'identità|número de identidad|número de identificación|bilhete de identidade|identiteitsnummer"),
    Number(module="all.tax", category="id.tax", shape="U7-18", led=True, check=_numbered, title="Tax number, by its name alone",
           words="tax id|tax number|tax identification number|tax ID number|taxpayer number|taxpayer id|tax file number|tax reference|tax code|VAT number|VAT ID|VAT no|VAT reg|VAT registration|Steuernummer|Steuer-ID|numéro fiscal|identifiant fiscal|número fiscal|identificación fiscal|identificação fiscal|codice fiscale|identificació fiscal|belastingnummer"),
    Number(module="all.health", category="id.health", shape="U7-20", led=True, check=_numbered, title="Health or social security number, by its name alone",
           words="social security number|social security no|social insurance number|health insurance number|health card number|health number|insurance member|member id|patient id|patient number|EHIC|European Health Insurance Card|número de seguridad social|número de la seguridad social|número de seguro social|número de afiliación|tarjeta sanitaria europea|tarjeta sanitaria|número de segurança social|cartão de saúde|numéro de sécurité sociale|carte vitale|numéro d'assuré|Sozialversicherungsnummer|Versicherungsnummer|Versichertennummer|Krankenkassennummer|tessera sanitaria|número de la seguretat social|targeta sanitària|burgerservicenummer"),
    Number(module="all.account", category="financial.account", shape="D6-20", led=True, check=_numbered, title="Bank account, by its name alone",
           words="account number|account no|bank account|acct no|número de cuenta|nº de cuenta|cuenta corriente|cuenta bancaria|cuenta de ahorros|numéro de compte|compte bancaire|Kontonummer|Konto-Nr|Kontonr|Bankkonto|numero di conto|conto corrente|número da conta|conta corrente|conta bancária|número de compte|rekeningnummer"),
)  # fmt: skip
