"""Names and dates of birth that need no model: somebody is introduced, or a form, a title or a law says who it is.

Pure. A title alone is not enough where it is everybody's: "Dr. Martin Luther King" is history. So a title counts with a
first and last name *and* something near that makes it a matter of papers: a number, a signature, a patient, a contract.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from re import Match

from gateway.privacy.detectors.detector import Detector, near, rx, words
from gateway.privacy.patterns import late

_LETTER = r"(?:[a-z']|[^\x00-\x7f])"  # with ’
_PART = rf"(?:O['’]|Mc|Mac|[DL]['’])?(?:[A-Z]|[ÁÉÍÓÚÑÜÇÀÈÒÖ]){_LETTER}{{1,20}}(?:-[A-Z]{_LETTER}{{1,20}})?(?![\w-])"
_LINK = r"(?:[ \t](?:de|del|la|las|los|y|i|van|von|der|da|dos|di|bin|al|el|[A-Z]\.?)){0,3}[ \t]"
_FULL = rf"{_PART}(?:{_LINK}{_PART}){{1,3}}"
_NAME = rf"{_PART}(?:{_LINK}{_PART}){{0,3}}"
_PAPERS = words(
    r"paciente|patient|\bdni\b|\bnie\b|\bnif\b|pasaporte|passport|firmad|\bfdo\b|signed|contrat|contract|notar|abogad|lawyer|attorney|"
    r"demanda|juzgado|\bcourt\b|tutor|domicili|residente|mayor de edad|col(?:egiad[oa])?[. ]|consulta|appointment|\bcita\b|"
    r"diagn|expediente|cuenta|account|p[oó]liza|policy n|claim|invoice|factura|alumn|empleado|employee|inquilin|arrendat|tenant|reunid"
)
_FAMOUS = words(
    r"\b(?:martin luther|sherlock|einstein|darwin|freud|jekyll|watson|strange|who\b|seuss|frankenstein|dracula|quijote|juan tenorio|"
    r"quixote|holmes|potter|dursley|darcy|bennet|obama|trump|lincoln|newton|marie curie|simpson)"
)
_LATER = late(r"(?:19[0-9]{2}|20[0-9]{2})\Z|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}\Z|(?:19|20)[0-9]{2}[/.-]")
_MONTH = (
    r"(?:ene(?:ro)?|feb(?:rero)?|mar(?:zo)?|abr(?:il)?|may(?:o)?|jun(?:io)?|jul(?:io)?|ago(?:sto)?|sep(?:tiembre)?|oct(?:ubre)?|nov(?:iembre)?|dic(?:iembre)?|"
    r"jan(?:uary)?|february|march|apr(?:il)?|june|july|aug(?:ust)?|september|october|november|dec(?:ember)?)"
)
_DATE = (
    r"(?:[0-9]{1,2}(?:st|nd|rd|th)?[ /.-](?:of |de )?(?:[0-9]{1,2}|" + _MONTH + r")\.?[ /.,-]{1,2}(?:del? )?[0-9]{2,4}|"
    r"(?:19|20)[0-9]{2}[/.-][0-9]{1,2}[/.-][0-9]{1,2}|" + _MONTH + r"\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})"
)


def _somebody(match: Match[str]) -> bool:
    """Tell whether it is a person's name: not a placeholder, a role or a character that everybody knows."""
    return not re.search(r"(?i)\b(?:name|nombre|apellidos?|surname|john doe|jane doe|your|full|last|first|unknown|desconocid[oa]|the|none|null|company|user)\b", match["value"]) and not _FAMOUS.search(match["value"])  # fmt: skip


def _titled(match: Match[str]) -> bool:
    return _somebody(match) and near(match, _PAPERS, 90, 90)


def _birth(match: Match[str]) -> bool:
    return _LATER.search(match["value"]) is not None


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="introduced",
        category="person.name",
        pattern=rx(
            rf"(?:\b(?i:my (?:full |real |legal )?name is|me llamo|mi nombre (?:completo )?es|se llama|soy el paciente|i am called|yours sincerely,?|kind regards,?|best regards,?|atentamente,?|un saludo,?|saludos,?|fdo\.?:?|firmado:?|signed(?: by)?:?)\s{{1,3}}(?:(?:Mr|Mrs|Ms|Dr|Sr|Sra|D|D.{{1,2}}a|Don)\.?\s)?)(?P<value>{_FULL})"
        ),
        proposal=r"(?i)name is|me llamo|nombre|se llama|paciente|called|regards|sincerely|atentamente|saludo|fdo|firmado|signed",
        source="an introduction or a signature before a first and last name",
        check=_somebody,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="named_in_form",
        category="person.name",
        pattern=rx(
            rf"\b(?i:(?:nombre(?: y apellidos| completo| del? (?:la )?(?:paciente|titular|cliente|alumn[oa]|trabajador[a]?))?|apellidos(?: y nombre)?|paciente|titular|asegurado|beneficiari[oa]|arrendatari[oa]|arrendador[a]?|demandante|demandad[oa]|trabajador[a]?|"
            rf"m.{{1,2}}dico|remitido por|patient(?:'s)?(?: name)?|full name|(?:account |policy)?holder(?: name)?|claimant|defendant|plaintiff|tenant|landlord|insured|beneficiary|employee(?: name)?|customer name|client name|attending|next of kin))\s?[:=]\s{{0,3}}[\"']?(?:(?:Mr|Mrs|Ms|Dr|Dra|Sr|Sra|D|D.{{1,2}}a|Don|Do.{{1,2}}a)\.?\s)?(?P<value>{_FULL})"
        ),
        proposal=r"(?i)(?:nombre|apellidos|paciente|titular|asegurad|beneficiari|arrenda|demanda|trabajador|dico|remitido|patient|name|holder|claimant|defendant|plaintiff|tenant|landlord|insured|beneficiary|employee|attending|of kin)[^\n:=]{0,24}[:=]",
        source="fields of forms, of clinical records and of suits",
        check=_somebody,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="titled",
        category="person.name",
        pattern=rx(
            rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Dra|Prof|Sr|Sra|Srta|D|D(?:ñ|n|\.\s?ª)a|D\.ª|Don|Do(?:ñ|n)a)\b\.?\s{{1,2}}(?P<value>{_FULL})"
        ),
        proposal=r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Dra|Prof|Sr|Sra|Srta|D|D.{1,4}a|Don|Do.{1,2}a)\b",
        source="a title before a first and last name, beside words of papers: a patient, a contract, a court, a number",
        check=_titled,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="birth_date",
        category="person.birth_date",
        pattern=rx(
            rf"(?i)\b(?:fecha de nacimiento|f\. ?(?:de )?nac(?:imiento)?\.?|fec\.? ?nac\.?|f\.?nac\.?|date of birth|birth ?date|d\.?o\.?b\.?|born on|i was born (?:on|in)|my birthday is|mi cumplea.{{1,2}}os es|nac(?:i|í)(?: el)?|nacid[oa](?: en [^\n,]{{2,30}},?)? el)"
            rf"[\s\"']{{0,3}}[:=]?[\s\"']{{0,3}}(?:(?:is|es|el|on|d.{{1,2}}a)\s)?(?P<value>{_DATE})"
        ),
        proposal=r"(?i)(?:nac|birth|born|d\.?o\.?b|cumplea)[^\n]{0,60}[0-9]",
        source="RGPD art. 4: a date of birth behind its name",
        check=lambda match: _birth(match) and _of_somebody(match),
        confidence=0.8,
        joins=False,
    ),
)
_OWN = late(r"(?i)\A(?:fecha|f|fec|f\.?nac|date|birth(?:date)?|d\.?o\.?b|i was|my|mi|nac(?:i|í))\b")


def _of_somebody(match: Match[str]) -> bool:
    """Tell whether a date of birth is a private person's.

    An encyclopaedia says "born on" of anybody; beside papers it is a person's.
    """
    return _OWN.match(match[0]) is not None or near(match, _PAPERS, 160, 160)
