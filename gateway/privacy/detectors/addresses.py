"""Where somebody lives: streets with number and postal code, or with words that make them somebody's. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from gateway.privacy.detectors.detector import Detector, rx

_STREET_ES = r"(?:calle|c/|c\.|avda\.?|avenida|av\.|plaza|pza\.?|pl\.|paseo|p(?:º|o)\.?|camino|traves.{1,2}a|ronda|carretera|ctra\.?|carrer|urbanizaci.{1,2}n|urb\.|glorieta|pasaje|cuesta|r(?:ú|u)a|barrio)"
_LIVES = r"(?:vivo en|vive en|vivimos en|residen?(?:te|cia)?(?: habitual)? en|domiciliad[oa] en|con domicilio en|domicilio(?: social| habitual| actual)?:?|direcci.{1,2}n(?: postal| de env.{1,2}o| de entrega)?:?|mi casa(?: est.{1,2})?(?: en)?|empadronad[oa] en|env.{1,2}a(?:lo|dlo|r|rlo)? a|mi direcci.{1,2}n es|nos vemos en|sito en|sita en)"

_STREET_EN = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Close|Crescent)"
)

DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="address_es",
        category="contact.address",
        pattern=rx(
            r"(?P<value>\b(?:[Cc]alle|[Cc]/|C\.|Avda\.?|[Aa]venida|[Pp]laza|Pza\.?|[Pp]aseo|P(?:º|o)\.|[Cc]amino|[Tt]raves.{1,2}a|[Rr]onda|[Cc]arretera|[Cc]arrer)\s"
            r"[^\n,;.:]{3,50},?\s(?:n[^\s]{0,2}\.?\s?)?[0-9]{1,4}\b[^\n]{0,40}?\b(?:CP:?\s?)?(?:0[1-9]|[1-4][0-9]|5[0-2])[0-9]{3}\b)"
        ),
        proposal=r"(?:[Cc]alle|[Cc]/|C\.|Avda|[Aa]venida|[Pp]laza|Pza|[Pp]aseo|P..?\.|[Cc]amino|[Tt]raves|[Rr]onda|[Cc]arreter|[Cc]arrer)",
        source="Spanish street, number and postal code (Correos)",
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="address_en",
        category="contact.address",
        pattern=rx(
            r"(?P<value>\b[0-9]{1,5}\s(?:[A-Z][\w'.]*\s){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Close|Crescent)\b"
            r"[^\n]{0,30}\n?[^\n]{0,60}?(?:\b[A-Z]{2},?\s[0-9]{5}(?:-[0-9]{4})?\b|\b[A-Z]{1,2}[0-9][0-9A-Z]?\s[0-9][A-Z]{2}\b))"
        ),
        proposal=r"\s(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Close|Crescent)\b",
        source="street and US ZIP (USPS) or UK postcode (Royal Mail)",
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="address_es_lived",
        category="contact.address",
        pattern=rx(
            rf"(?i)\b{_LIVES}[\s:]{{1,3}}(?:la |el )?(?P<value>{_STREET_ES}\s?[^\n,;:]{{3,50}}?,?\s{{0,2}}(?:n(?:.m(?:ero)?|[^\s]{{0,2}})\.?\s?)?[0-9]{{1,4}}\b(?:[ ,]{{1,2}}(?:[0-9]{{1,2}}\s?[^\s\w,]{{1,3}}|bajo|piso|esc\.?|portal|pta\.?|izq\w*|dcha\w*|[A-H]\b)){{0,4}})"
        ),
        proposal=_LIVES.join(("(?i)", "")),
        source="a Spanish street and number behind a word for living, sending or being registered",
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="address_es_floor",
        category="contact.address",
        pattern=rx(
            rf"(?i)\b(?P<value>{_STREET_ES}\s?[^\n,;:]{{3,50}}?,?\s{{0,2}}(?:n[^\s]{{0,2}}\.?\s?)?[0-9]{{1,4}}\s?,?\s{{1,2}}(?:piso\s)?(?:[0-9]{{1,2}}(?:\.?º|\.?ª|\.?°|\.o|\.a)|bajo|[aá]tico|entresuelo)[\s,-]{{0,2}}(?:[A-H]\b|izq\w*|dcha\w*|derecha|centro|[0-9]{{1,2}}\b|puerta\s\w{{1,2}}))"
        ),
        proposal=r"(?i)[0-9]{1,4}\s?,?\s{1,2}(?:piso\s)?(?:[0-9]{1,2}(?:\.?º|\.?ª|\.?°|\.o|\.a)|bajo|.{1,2}tico|entresuelo)",
        source="a Spanish street, number, floor and door",
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="address_en_lived",
        category="contact.address",
        pattern=rx(
            rf"(?i:\b(?:i live at|we live at|lives at|living at|resid(?:es|ing) at|my (?:home |postal |mailing |shipping |new )?address is|(?:home|mailing|shipping|billing|delivery|postal|street) address\s?(?:is|:)|address\s?:|(?:ship|send|deliver|mail) (?:it |this |them )?to|moved to|come (?:over )?to))[\s:]{{1,3}}(?P<value>(?:(?:Flat|Apt\.?|Apartment|Unit|Suite)\s\w{{1,5}},?\s)?[0-9]{{1,5}}[A-Z]?,?\s(?:[A-Z0-9][\w'.]*\s){{1,4}}{_STREET_EN}\b)"
        ),
        proposal=rf"\s{_STREET_EN}\b",
        source="an English street and number behind a word for living or sending",
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="postcode",
        category="contact.address",
        pattern=rx(
            r"(?i)\b(?:my (?:zip(?: ?code)?|post ?code|postal code) is|mi c(?:ó|o)digo postal es(?: el)?|vivo en el c(?:ó|o)digo postal|post ?code:|c(?:ó|o)digo postal:|\bc\.?p\.?:)\s{0,2}(?P<value>(?:0[1-9]|[1-4][0-9]|5[0-2])[0-9]{3}\b|[0-9]{5}(?:-[0-9]{4})?\b|[A-Z]{1,2}[0-9][0-9A-Z]?\s?[0-9][A-Z]{2}\b)"
        ),
        source="a postal code of one's own, or in a form (Correos, USPS, Royal Mail)",
        confidence=0.6,
        joins=False,
    ),
)
