"""Passwords and codes as people tell them to each other, in the words of eight languages. Pure.

Spanish, English, Portuguese, French, German, Italian, Catalan and Dutch.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from gateway.privacy.detectors.credentials.in_files import typed
from gateway.privacy.detectors.credentials.placeholders import is_placeholder
from gateway.privacy.detectors.detector import Detector, rx
from gateway.privacy.detectors.high_entropy import kinds
from gateway.privacy.patterns import late

_WORD = (
    r"(?:contrase.{1,2}as?|contrasenya|claves?|clau|pass(?:word|wort|wd|phrase|code)?|kennwort|schl.{1,2}ssel|netzwerkschl.{1,2}ssel|mot de passe|mdp|cl(?:e|.{1,2}) (?:wifi|wi-fi|wpa2?|r.{1,2}seau|de s.{1,2}curit.{1,2})|senha|"
    r"palavra[- ]passe|parola d'ordine|parola chiave|wachtwoord)"
)
_IS = r"(?:es|son|is|are|ist|sind|est|sont|s.{1,2}o|sono|zijn|lautet|est|.{1,2}s|e'|[eéè]|era|was|pone|pon)"
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
    value = match["value"]
    return typed(value) or _PHRASE.fullmatch(value.rstrip(".!?")) is not None


_PHRASE = late(r"[^\W\d_]{2,20}(?:-[^\W\d_]{2,20}){2,6}")  # words with hyphens between, as nobody says them


def _behind_word(match: Match[str]) -> bool:
    """Tell whether what stands right behind a word for a password was typed: no sign says that it comes."""
    value = match["value"].rstrip(".,;:)!?\"'")
    lower, upper, digit, _ = kinds(value)
    if not digit or not (lower or upper) or _IN_CODE.fullmatch(value) is not None:
        return False
    return typed(value, 6) or (re.search(r"[!#$*?@]", value) is not None and len(set(value)) >= 4)


_IN_CODE = late(r"[a-z]+(?:_[a-z0-9]+)+|[a-z]+(?:[A-Z][a-z]+)+[0-9]{0,2}")


def _word(match: Match[str]) -> bool:
    value = match["value"]
    return _STATE.match(value) is None and not is_placeholder(value) and _TYPE.fullmatch(value) is None


_TYPE = late(r"bytes|bytearray|unicode|varchar|integer|object|optional|char|nullable")  # of an argument or column

_STATE = late(
    r"(?i)(?:in)?corre|oblig|requ|nece|needed|v[aá]lid|inv[aá]lid|fals|wrong|same|mism|igual|secre|publi|priva|expir|caduc|d[eé]bil|weak|strong|fuerte|segur|stored|"
    r"missing|empty|vac[ií]|demasi|always|siempre|never|nunca|already|being|shown|sent|case|hash|encr|cifra|default|optional|opcion|unique|[uú]nic|diff|distint|difer|gleich|"
    r"falsch|richtig|erforder|notwend|geheim|sicher|schwach|abgelauf|faux|fausse|obligat|diff[eé]r|errat|sbagl|scadut|errad|incorr|onjuist|verplicht|visible|hidden|ocult|"
    r"what|where|which|going|still|longer|about|cambi|chang|reset|olvid|forgot|oubli|vergess|password|contras|esta$|este$|nuev|bueno|buena|mala$|that|this|these|also|tambi|para|con$|under|between|written"
)


def _two_kinds(match: Match[str]) -> bool:
    return _pair(match) or (re.search(r"[._0-9@]", match["user"]) is not None and _word(match))


def _seed(match: Match[str]) -> bool:
    """Tell whether it begins with as many words as a wallet has, and none of those that sentences are made of."""
    words = re.findall(r"[^\W\d_]+", match["value"].lower())
    return any(
        len(words) >= count and _SENTENCE.isdisjoint(words[:count]) and len(set(words[:count])) >= 8
        for count in (12, 15, 18, 21, 24)
    )


_WALLET = (
    "wallet|ledger|trezor|metamask|electrum|bip-?39|mnemonic|seed|monedero|billetera|carteira|cartera|portefeuille|portafoglio|moneder|"
    "(?:recovery|secret)[ -]?(?:phrase|words)|frase (?:semilla|de recuperaci.{1,2}n)|palabras semilla|wiederherstellungsphrase|phrase secr.{1,2}te"
)
_LETTERS = "[A-Za-zÀ-ÖØ-öø-ÿ]"
_SENTENCE_WORDS = (
    "the and for are was were not but from they has had its you have been his her she him our their which there would "
    "could should into than then them these those los las una por con para que del como pero les des est une dans pour der die das und ist ein eine"
)
_SENTENCE = frozenset(_SENTENCE_WORDS.split())


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
            rf"(?i)(?:\b|-){_WORD}\b[^\n.:;=@]{{0,40}}?(?:\s{_IS}\s(?:el\s|la\s|the\s|just\s|now\s|jetzt\s|ahora\s|ara\s)?|\s?[:=]\s{{0,2}}|,\s)[\"'`«“„]?(?P<value>[^\s\"'`<>|,;]{{5,64}})"
        ),
        proposal=rf"(?i){_WORD}\b",
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
        name="pin",
        category="secret.password",
        pattern=rx(
            rf"\b(?:(?:PIN|Pin)[ :]{{1,2}}|(?i:pin)\b[^\n.:;=]{{0,30}}?(?:\s{{0,2}}[:=]\s{{0,2}}|\s(?i:{_IS})\s(?:el\s)?))(?P<value>[0-9]{{4,8}})(?![0-9A-Za-z]|[.,-][0-9])"
        ),
        proposal=r"(?i)\bpin\b",
        source="a number of four to eight digits behind the word PIN",
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="code_of_a_door",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b(?:{_LOCK}[ -]?{_CODE}|zugangscode|t.{{1,2}}rcode|alarmcode|digicode|access ?code|code d'entr.{{1,2}}e)\b[^\n.:;=]{{0,30}}?(?:\s{_IS}\s|\s?[:=]\s{{0,2}}|\s)(?P<value>(?=[0-9]{{0,6}}[0-9A-Z][0-9])[0-9A-Z]{{3,8}}[#*]{{0,2}})(?![0-9A-Za-z]|[.,][0-9])"
        ),
        proposal=rf"(?i){_LOCK}[ -]?{_CODE}\b|zugangscode|t.{{1,2}}rcode|alarmcode|digicode|access ?code|code d'entr",
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
            rf"(?i)\b{_INVITES}\b[\s:]{{1,3}}(?:[^\s/|]{{1,20}}\s){{0,3}}?(?P<user>[\w.@-]{{2,30}})\s?[/|]\s?(?P<value>[^\s\"'`<>|,;]{{6,40}})"
        ),
        source="a user's name and a password beside it, as people pass them on",
        check=_two_kinds,
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
    Detector(
        name="password_behind_word",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?:\b|-)(?!pass\b){_WORD}\b(?:\s(?:wi-?fi|wpa2?|wlan|temporal|provisional|nueva|nou|nova|neues|nouveau|nuova|nieuwe|new))?\s[\"'`«“„]?(?P<value>[^\s\"'`<>|,;=:/]{{4,64}})"
        ),
        proposal=rf"(?i){_WORD}\b",
        source="a word for a password in eight languages, and right behind it letters and digits that somebody typed",
        check=_behind_word,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="password_of_wifi",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b(?:wi-?fi|wlan|ssid|hotspot)\b[^\n]{{0,100}}?{_WORD}\b[ :=]{{1,3}}(?P<value>[0-9]{{8,63}})(?![0-9A-Za-z])"
        ),
        proposal=r"(?i)\b(?:wi-?fi|wlan|ssid|hotspot)\b",
        source="a Wi-Fi's key of digits (IEEE 802.11i: 8 to 63 characters)",
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="password_of_one_word",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b(?:wi-?fi|wlan|ssid|hotspot|xarxa|r.{{1,2}}seau|{_USER}|identifiant)\b[^\n.]{{0,80}}?\b{_WORD}\b(?:\s{_IS}\s|\s?[:=]\s?)[\"'`«“„]?(?P<value>[a-z]{{5,24}}(?:[-_][a-z]{{2,20}}){{0,4}})(?:[\"'`»”.,;!?)]|\s?$|\s(?:y|i|e|et|und|and|en)\s|\n)"
        ),
        proposal=rf"(?i){_WORD}\b",
        source="a user's name or a network, a word for a password, and a word of its own",
        check=_word,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="password_is_a_word",
        category="secret.password",
        pattern=rx(
            rf"(?i)\b(?:login|{_WORD})\b[^\n.]{{0,20}}?\s{_IS}\s(?:just\s|simply\s|solo\s|nur\s|einfach\s|juste\s)?(?:the word|la palabra|das wort|le mot|a palavra|la parola|la paraula|het woord)\s[\"'`«“„]?(?P<value>[a-z]{{4,24}})"
        ),
        proposal=r"(?i)\s(?:the word|la palabra|das wort|le mot|a palavra|la parola|la paraula|het woord)\s",
        source="a word for a password, and that it is a word",
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="wallet_words",
        category="secret.private_key",
        pattern=rx(
            rf"(?i)\b(?:{_WALLET})\b[^\n]{{0,200}}?[:\n\"'\s]\s{{0,4}}(?P<value>(?:[0-9]{{1,2}}[.):]?\s)?{_LETTERS}{{3,10}}(?:[ ,\n]{{1,2}}(?:[0-9]{{1,2}}[.):]?\s)?{_LETTERS}{{3,10}}){{11,23}})(?!{_LETTERS})"
        ),
        proposal=rf"(?i)\b(?:{_WALLET})\b",
        source="BIP 39: 12, 15, 18, 21 or 24 words beside a word for a wallet, and no words of sentences among them",
        check=_seed,
        confidence=0.7,
        joins=False,
    ),
)
