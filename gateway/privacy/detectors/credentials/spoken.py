"""Passwords and codes as people tell them to each other, in the words of eight languages. Pure.

Spanish, English, Portuguese, French, German, Italian, Catalan and Dutch.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from gateway.privacy.detectors.credentials.in_files import typed
from gateway.privacy.detectors.detector import Detector, rx

_WORD = (
    r"(?:contrase.{1,2}as?|contrasenya|claves?|clau|pass(?:word|wort|wd|phrase|code)?|kennwort|schl.{1,2}ssel|mot de passe|mdp|senha|"
    r"palavra[- ]passe|parola d'ordine|parola chiave|wachtwoord)"
)
_IS = r"(?:es|is|ist|lautet|est|.{1,2}s|e'|[eéè]|era|was|pone|pon)"
_CODE = r"(?:c.{1,2}digo|codi|code|codice|clave|clau|pin|contrase.{1,2}a|combinaci.{1,2}n|combination|password|senha|mot de passe|(?:zugangs|t.{1,2}r|haus|alarm|sicherheits)code|code d'acc.{1,2}s)"
_LOCK = (
    r"(?:puerta|portal|portero|alarma|garaje|trastero|caja fuerte|caja|taquilla|m.{1,2}vil|tel.{1,2}fono|tarjeta|tableta|tablet|candado|verja|"
    r"door|gate|alarm|safe|locker|garage|lockbox|phone|card|padlock|entrance|porte|portail|alarme|coffre|digicode|immeuble|"
    r"t.{1,2}r|haust.{1,2}r|tor|tresor|alarmanlage|handy|karte|porta|porton\w|cancello|allarme|cassaforte|cofre|port.{1,2}o|telem.{1,2}vel|"
    r"cart.{1,2}o|caixa|bancomat|ec-karte|bankkarte|armario|caj.{1,2}n|archivo|archive|drawer|cabinet|store|almac.{1,2}n|oficina|office|b.{1,2}ro|garatge|m.{1,2}bil|targeta|deur|kluis)"
)
_INVITES = (
    r"(?:pon|pones|usa|use|using|mete|introduce|teclea|enter with|log ?in (?:with|as)|sign in (?:with|as)|entra con|entras con|accede con|"
    r"credenciales|credentials|login|logins|zugang|acc.{1,2}s|accesso|acceso|acesso|anmeldung|inloggen)"
)
_USER = r"(?:user(?:name)?|usuario|usuari|login|utilisateur|benutzer(?:name)?|utente|utilizador|gebruiker)"


def _told(match: Match[str]) -> bool:
    return typed(match["value"])


def _code(match: Match[str]) -> bool:
    value = match["value"]
    return len(set(value)) >= 2 and not re.fullmatch(r"(?:19|20)[0-9]{2}", value)


def _pair(match: Match[str]) -> bool:
    value = match["value"]
    mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return "/" not in value and mixed and (typed(value, 6) or value[:1].isupper())


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="spoken_password",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?:\b|-){_WORD}\b[^\n.:;=@]{{0,40}}?(?:\s{_IS}\s(?:el\s|la\s|the\s)?|\s?[:=]\s{{0,2}}|,\s)[\"'`«“„]?(?P<value>[^\s\"'`<>|,;]{{5,64}})"
        ),
        source="a word for a password in eight languages, what says that here it comes, and what somebody typed",
        check=_told,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="code_of_a_lock",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b{_CODE}\b[^\n.:;=]{{0,40}}?(?:\b{_LOCK}\b[^\n.:;=]{{0,25}}?)(?:\s{_IS}\s(?:el\s|the\s|der\s|le\s)?|\s?[:=]\s{{0,2}}|,?\s(?=[0-9]))(?P<value>[A-Z]?[0-9]{{3,8}}[A-Z#*]{{0,2}})(?![0-9A-Za-z]|[.,][0-9])"
        ),
        source="a code behind the words for a code and for what it opens",
        check=_code,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="pin_code",
        category="secret.password",
        pattern=rx(
            rf"\b(?:(?:PIN|Pin)[ :]{{1,2}}|(?i:pin)\b[^\n.:;=]{{0,30}}?\s(?i:{_IS})\s(?:el\s)?)(?P<value>[0-9]{{4,6}})(?![0-9A-Za-z]|[.,-][0-9])"
        ),
        source="a number of four to six digits behind the word PIN",
        check=_code,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="code_of_a_door",
        category="secret.password",
        pattern=rx(
            r"(?i)\b(?:zugangscode|t.{1,2}rcode|alarmcode|digicode|door ?code|gate ?code|alarm ?code|access ?code|code d'entr.{1,2}e)\b[^\n.:;=]{0,30}?(?:\s(?:is|ist|lautet|est)\s|\s?[:=]\s{0,2}|\s)(?P<value>(?=[0-9]{0,6}[0-9A-Z][0-9])[0-9A-Z]{3,8}[#*]{0,2})(?![0-9A-Za-z]|[.,][0-9])"
        ),
        source="a code behind a word that says what it opens",
        check=_code,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="password_to_use",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b(?:use|using|usa|usar|pon|poner|set|put|nimm|utilise|usi)\s[\"'`«“„]?(?P<value>[^\s\"'`<>|,;]{{6,64}})[\"'`»”]?\s(?:as|como|de|als|comme|come)\s(?:\w{{1,6}}\s){{0,2}}{_WORD}\b"
        ),
        source="what somebody typed, which is to be used as a password",
        check=_told,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="login_pair",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b{_INVITES}\b[\s:]{{1,3}}(?:[^\s/|]{{1,20}}\s){{0,3}}?[\w.@-]{{2,30}}\s?[/|]\s?(?P<value>[^\s\"'`<>|,;]{{6,40}})"
        ),
        source="a user's name and a password beside it, as people pass them on",
        check=_pair,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="user_and_password",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b{_USER}\b[:\s]{{1,3}}[^\s,;/]{{2,30}}[\s,;/]{{1,3}}(?:y\s|and\s|et\s|und\s|e\s)?(?:pass\w{{0,6}}|pwd|pw|clave|contrase.{{1,2}}a|kennwort|senha|mdp)\b[:\s]{{1,3}}(?P<value>[^\s\"'`<>|,;]{{6,40}})"
        ),
        source="a word for a user, the name, a word for a password, and what somebody typed",
        check=_pair,
        confidence=0.7,
        joins=False,
    ),
)
