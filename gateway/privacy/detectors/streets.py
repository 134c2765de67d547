"""Streets of seven languages: behind a word for living or sending, or with their number, a postal code and a town. Pure.

What is everybody's is nobody's address: a museum, a hotel, a ministry; and a street with a year behind it is history.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from re import Match

from gateway.privacy.detectors.detector import Detector, near, rx, words
from gateway.privacy.detectors.word_patterns import BehindWord, BesideWords
from gateway.privacy.patterns import late

_CAPITAL = r"(?:[A-Z]|[^\x00-\x7f])"
_WORD = rf"{_CAPITAL}[^\s,;:()#\"]{{0,25}}"
_PARTICLE = r"(?:(?:de|del|la|las|los|el|da|do|das|dos|di|della|dei|degli|delle|des|du|le|les|i|y|e)\s|[dl]['’])"
_NAME = rf"{_PARTICLE}{{0,3}}{_WORD}(?:\s{_PARTICLE}{{0,2}}{_WORD}){{0,4}}"
_FIRST = (
    r"(?:calle|c/|cl\.|avda\.?|avenida|av\.?|gran v(?:í|Í|i)a|plaza|pza\.?|paseo|p(?:º|o)\.|camino|ronda|carretera|ctra\.?|carrera|cra\.?|diagonal|calzada|jr\.?|jir(?:ó|Ó|o)n|pasaje|"
    r"urbanizaci(?:ó|Ó|o)n|glorieta|traves(?:í|Í|i)a|rua|r\.|travessa|tv\.|pra(?:ç|Ç|c)a|largo|alameda|estrada|via|v\.le|viale|piazza|p\.za|corso|c\.so|vicolo|piazzale|strada|"
    r"carrer|c\.|avinguda|passeig|pg\.|pla(?:ç|Ç|c)a|pl\.|rambla|chemin|rue|avenue|boulevard|bd\.?|impasse|all(?:é|É|e)e|quai)"
)
_AFTER = r"(?:rue|avenue|av\.?|boulevard|bd\.?|bvd\.?|place|impasse|all(?:é|É|e)e|chemin|quai|cours|route|square|passage|ruelle)"
_ENDING = r"(?:stra(?:ß|ss)e|str\.|gasse|weg|allee|platz|ring|damm|ufer|steig|markt|straat|laan|plein|gracht|kade|singel|dijk)"
_GERMAN = rf"(?:{_CAPITAL}[^\s,;:0-9]{{0,30}}{_ENDING}|{_CAPITAL}[^\s,;:0-9]{{1,20}}[ -](?i:{_ENDING})|(?:Am|An der|Im|Zum|Zur|Auf der|Unter den|In der) {_CAPITAL}[^\s,;:0-9]{{2,25}})"
_NUMBER = r"(?:n(?:[º°.o]|\xba|úm\.?|um\.?)?\.?\s?)?[0-9]{1,4}\s?(?i:bis|ter|qu(?:ater|inquies)|[a-z](?![\w]))?(?:[/-][0-9]{1,3})?(?![\w%€$])"
_FLOOR = r"(?:,?\s(?:[0-9]{1,2}\s?(?:[ºª°.]|n|r|t|è|a|o)?\.?\s?[A-Za-z]{0,6}|bajo|piso\s[0-9]{1,2}|(?:apto|apt|dpto|depto|int|esc|puerta|pta)\.?\s[0-9A-Z]{1,4}))"
_TOWN = rf"(?:[A-Z]{{0,2}}-?[0-9]{{4,5}}(?:-[0-9]{{3}})?\s)?{_CAPITAL}[^\s,;:.!?()0-9]{{2,25}}"
_BIS = r"(?:(?i:bis|ter|quater|quinquies)(?!\w)|[A-Da-d](?!\w))"
_ALONE = r"(?i:gran v(?:í|Í|i)a|diagonal|(?:la )?rambla|castellana|paral.{1,2}lel|v(?:í|Í|i)a laietana)"  # the whole name of a street
_LIVES = (
    r"(?:viv[oei]\w{0,3}|r(?:é|É|e)sid\w{1,8}|domiciliad[oa]|domiciliat[oa]?|domiciled?|domicilio(?: social| habitual| actual)?|direcci(?:ó|Ó|o)n(?: postal| de env(?:í|Í|i)o| de entrega)?|mi casa(?: est(?:á|Á|a))?|empadronad[oa]|env(?:í|Í|i)\w{1,6}|m(?:á|Á|a)nda\w{0,4}|"
    r"entreg\w{1,5}|el paquete va|soy de|mor[oa]|moramos|morada|endere(?:ç|Ç|c)o|j['’]habite|habit(?:e|ons|ez)|adresse(?: de livraison| postale)?|livre[rz]|livraison|domicili(?:é|É|e)e?|demeur\w{1,4}|log(?:é|É|e)e?s?|habitant\w?|envoye[rz]|"
    r"wohn(?:e|t|en|haft|sitz)|gemeldet|ans(?:ä|Ä|ae)ssig|anschrift|lieferadresse|rechnungsadresse|liefern|lieferung|abit(?:o|a|iamo)|residenza|indirizzo|spedi(?:re|zione|sci)|consegn\w{1,5}|visc|viu|vivim|adre(?:ç|Ç|c)a|domicili|"
    r"woon|woont|woonachtig|gevestigd|adres|home|address|deliver|delivered|send|ship|mail|lives?|living)"
)
_LINK = r"(?:\s(?:est(?:á|Á|a)|is|es|est|ist|é|è|às|és|en|a|al|à|au|aux|in|im|na|no|em|nel|nella|am|an|de|la|el|le|il|lo|der|dem|den|op|to|at|it|this|para|the|bitte|sur|dans|ao|une|una)){0,3}"
_ENGLISH_TYPE = r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Close|Crescent|Square|Row|Gardens)"
_ENGLISH = rf"(?:[A-Z0-9][\w'.]*\s){{1,4}}{_ENGLISH_TYPE}\b"
_PLACE = rf"(?:{_ALONE}(?:,\s{{0,2}}|\s{{1,2}}){_NUMBER}|[0-9]{{1,5}}[A-Z]?,?\s{_ENGLISH}|(?i:{_FIRST})\s?(?:{_NAME}|[^\n,;:0-9]{{3,40}}?),?\s{{0,2}}{_NUMBER}|[0-9]{{1,4}}\s?{_BIS}?,?\s(?i:{_AFTER})\s{_NAME}|{_GERMAN}\s{_NUMBER})"
_PUBLIC = words(
    r"museo|museu|museum|musée|musee|hotel|hôtel|restaurant|tienda|\bshop|\bstore|teatr|theat|estaci[oó]n|estação|gare\b|bahnhof\b|stazione|monument|iglesia|catedral|cathedral|église|kirche|palacio|palais|palazzo|"
    r"embajada|embassy|embaixada|ambassade|botschaft|ayuntamiento|rathaus|mairie|ministeri|universi|bibliote|headquarters|\bsede\b|oficina de turismo|tourist|visit|turis"
)
_YEAR = late(r"(?:1[5-9]|20)[0-9]{2}\Z")


def _private(match: Match[str]) -> bool:
    """Tell whether it may be somebody's: no public house, and no year where the house's number stands."""
    found = match.group("house") if match.re.groupindex.get("house") else ""
    return _YEAR.match(found or "") is None and not near(match, _PUBLIC, before=80, after=40)


_FAR = 110  # characters behind a street's beginning


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="address_lived",
        category="contact.address",
        pattern=BehindWord(_LIVES, rf"(?i:{_LINK})\s?[:,]?\s{{1,2}}(?P<value>{_PLACE})"),
        proposal=rf"(?i)\b(?:{_FIRST}|{_AFTER}|gran v..?a|rambla|castellana|laietana|paral..?lel)[\s,]|\b(?:c/|r\.|c\.|cl\.|av\.|pl\.|pg\.|tv\.|bd\.|jr\.)\S|\b(?-i:Am|An der|Im|Zum|Zur|Auf der|Unter den|In der)\s|{_ENDING}\s[0-9]|{_ENGLISH_TYPE}\b",
        source="a street and its number behind a word for living, sending or an address (es, en, pt, fr, de, it, ca, nl)",
        check=lambda match: not near(match, _PUBLIC, before=80, after=40),
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="address_town",
        category="contact.address",
        pattern=BesideWords(
            rf"(?<![\w'’])(?P<value>(?:(?i:gran v(?:í|Í|i)a|castellana)|(?i:{_FIRST})\s?{_NAME}),?\s{{0,2}}(?:n[^\s]{{0,2}}\.?\s?)?(?P<house>[0-9]{{1,4}})\s?(?:(?i:bis|ter|quater)|[a-zA-Z])?(?![\w%]){_FLOOR}{{0,3}}(?:,|\s-)\s?(?i:col\.\s)?{_TOWN})",
            rf"\b(?:{_FIRST}|castellana)\s?[^\n]{{1,60}}?[0-9]",
            "",
            _FAR,
        ),
        proposal=rf"(?i)\b(?:{_FIRST}|gran v..?a|castellana)[\s,]|\b(?:c/|r\.|c\.|cl\.|av\.|pl\.|pg\.|tv\.|bd\.|jr\.)\S",
        source="a street, its number and a town (es, pt, it, ca); not what is open to everybody",
        check=_private,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="address_town_fr",
        category="contact.address",
        pattern=rx(
            rf"(?<![\w'’,.-])(?P<value>(?P<house>[0-9]{{1,4}})\s?{_BIS}?,?\s(?i:{_AFTER})\s{_NAME}(?:,|\s-|(?=\s[0-9]{{5}}\s))\s?{_TOWN})"
        ),
        proposal=rf"(?i)(?:[0-9]|[0-9]\s?(?:[a-d]|bis|ter|quater|quinquies)),?\s{_AFTER}\s",
        source="a number, a street and a town (fr); not what is open to everybody",
        check=_private,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="address_town_de",
        category="contact.address",
        pattern=rx(
            rf"(?<![\w-])(?P<value>{_GERMAN}\s(?P<house>[0-9]{{1,4}})\s?[a-zA-Z]?(?:[/-][0-9]{{1,3}})?(?![\w%]),?\s(?:(?:[A-Z]{{1,2}}-)?[0-9]{{4,5}}\s(?:[A-Z]{{2}}\s)?){_CAPITAL}[^\s,;:.0-9]{{2,25}})"
        ),
        proposal=rf"(?i:{_ENDING})\s[0-9]|\b(?:Am|An der|Im|Zum|Zur|Auf der|Unter den|In der)\s",
        source="a street, its number, a postal code and a town (de, nl); not what is open to everybody",
        check=_private,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="address_co",
        category="contact.address",
        pattern=rx(
            r"(?i)\b(?P<value>(?:calle|cll?e?|carrera|cra|cr|kra|kr|avenida|av|transversal|tv|diagonal|dg)\.?\s?[0-9]{1,3}\s?[a-h]?(?:\s?bis)?(?:\s(?:sur|norte|este|oeste))?\s?(?:#|n(?:o\.?|[º°.]))\s?[0-9]{1,3}\s?[a-h]?\s?-\s?[0-9]{1,3}\b)"
        ),
        source="Colombian streets: number of the street, of the crossing and of the house",
        confidence=0.7,
        joins=False,
    ),
)
