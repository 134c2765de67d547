"""What a text says of itself: an encyclopaedia, a problem of arithmetic, a story. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re

from gateway.privacy.names.public_names import mentions_public_name
from gateway.privacy.patterns import late

_I = re.IGNORECASE
_SIGNS = 2.0
_AROUND = 700  # characters before and behind a name, within its paragraph
_YEAR = late(r"(?<![\d.,/-])(?:1[0-9]{3}|200[0-9]|201[0-7])(?:s\b|–|-|(?![\d/-]))")
_CENTURY = late(
    r"\b(?:\w+teenth|twentieth|[\w-]+first|twelfth|eleventh) century\b|\bsiglos? [IVXL]+\b|\b(?:a\.C|d\.C|BC|AD)\b"
)
LIFE = late(
    r"\A\s?\((?:born |b\. |n\. |nacid[oa] (?:en )?|c\. ?)?(?:\w+ )?[^()\n]{0,40}\b(?:1[0-9]{3}|20[0-2][0-9])\b[^()\n]{0,60}\)",
    _I,
)
CITED_AFTER = late(
    r"\A,?\s(?:et al\b|y cols\b|&\s|(?:[A-Z]\.,?\s?){1,3}|(?:and|y|e|&)\s\w+,?\s\((?:1[0-9]|20)[0-9]{2}|\((?:1[0-9]|20)[0-9]{2}[a-z]?\))|\A\s?\[\d"
)
_BY_WORK = late(
    r"(?:[\"”»*_]|\b(?:novel|book|poem|song|album|film|movie|play|painting|theory|series|score|article|paper|script|essay|symphony|opera|novela|libro|"
    r"poema|canci[oó]n|disco|pel[ií]cula|obra|cuadro|teor[ií]a|serie|m[uú]sica|art[ií]culo|guion|ensayo|sinfon[ií]a|[oó]pera|directed|written|"
    r"painted|composed|discovered|invented|founded|proposed|described|produced|starring|published|formulated|identified|introduced|dirigid[ao]|"
    r"escrit[ao]|pintad[ao]|compuest[ao]|descubiert[ao]|inventad[ao]|fundad[ao]|propuest[ao]|protagonizad[ao]|publicad[ao]))"
    r"[^.\n]{0,40}?,?\s(?:by|from a \w+ by|de|por|with|con|a)\s\Z",
    _I,
)
_STRONG = late(
    r"\b(?:nobel|oscars?|academy award|palme d'or|palma de oro|grand slam|olympi\w+|ol[ií]mpic\w+|world cup|mundial|eurobasket|roland garros|"
    r"tour de france|el tour|us open|wimbledon|championships?|semi-?finals?|semifinales|quarter-final|medals?|medallas?|goalkeeper|gold medal\w*|"
    r"(?:south|north) pole|ochomil\w*|bal[oó]n de oro|ballon d'or|novel|novels|novelas?|film|films|pel[ií]culas?|actress|actriz|starring|"
    r"protagonizad\w+|soundtrack|banda sonora|composer|compositor\w*|poetas?|philosopher|fil[oó]sof\w+|physicist|mathematician|"
    r"matem[aá]tic[oa]s?|astronom\w+|geneti\w+|DNA|ADN|theorem|teorema|experimento de|treaty|tratado de|battle|batalla|emperor|emperador|"
    r"prime minister|rep[uú]blica|republic|revolution|revoluci[oó]n|colonial|reign|reinado|dynasty|abolitionist|slavery|monarch\w*|bastille|"
    r"encyclop\w+|wikipedia|pulsars?|genomes?|bacteri\w+|electrons?|conservation law|tabla peri[oó]dica|periodic table|telomer\w+|protagonist\w*|"
    r"sitio de|siege of|expedici[oó]n|expedition|independence|independencia|suffrage|sufragio|cantata|symphony|sinfon[ií]a|renaissance|renacimiento|"
    r"medieval|\w{4,}ismo?s?|poes[ií]a|poetry|quartets?|quintets?|cuarteto|jazz|uranium|uranio|archaeolog\w+|arqueolog\w+|excavated|philosophy|filosof[ií]a|"
    r"barometer|bar[oó]metro|regent|abdic\w+|confessions|tennis|tenis|b[aá]dminton|basketball|football|f[uú]tbol|baloncesto|swimming|nataci[oó]n|"
    r"opera|[oó]pera|painters?|pintor\w*|sculpt\w+|escult\w+|architect\w* of|literatur[ae]|naturalist\w*|goals? by|gymnast\w*|gimnas\w+|el oro|gran slam|scripts? by|palme|crisis of|mot[ií]n de|[IVX]{2,}|compiler)\b",
    _I,
)
_WEAK = late(
    r"\b(?:final|champion\w*|goals?|gol|record|r[eé]cord|points|movie|actor|director\w*|dirigi[oó]|directed|stars|interpreta|plays|score|album|poet|"
    r"author|autor|writer|escritor\w*|f[ií]sic[oa]s?|chemist|biolog\w+|theory|teor[ií]a|experiment\w*|discover\w*|descubri\w*|descubiert\w*|invent\w*|"
    r"published|public[oó]|propuest[oa]|war|guerra|king|queen|rey|reina|president|presidente|ministr[oa]|ministerio|cortes|government|gobierno|army|"
    r"ej[eé]rcito|general|crown|senator\w*|candidates?|elections?|plot|argumento|character|personaje|chapter|cap[ií]tulo|scene|escena|tactics|"
    r"equations?|ecuaci[oó]n|molecul\w+|atom|[aá]tomo|studio|congress|jump|salto|selecci[oó]n|lab(?:oratory|oratorio)?|estudia|famos[oa]|famous|"
    r"scholar|expres\w+|century|siglo|elected|eligi[oó]|successor|sucesor|rival|won|gan[oó]|venci[oó]|faster|arguments|styles|compar[ea]|contrast|explain|explica|title|led|team|singer|cantante|"
    r"tune|shot|summer of|inspir\w+|influenc\w+|lideró|equipo|aport[oó]|critic\w+|entrevist\w+|cr[oó]nicas|invent[oó]|teach|courage|measured|lost|beat|perdi[oó]|conde|duke|pope|papa|british|french|"
    r"german|english|suiz[oa]|frances\w*|ingles\w*|japones\w*|american)\b",
    _I,
)
_ABOUT_A_WORK = late(
    r"\b(?:[Ii]n|of|from) (?:the|his|her) (?:novel|film|movie|play|book|poem|series|opera)\b|\b[Pp]lots? of\b|\bargumento de\b|\bla (?:obra|novela|pel[ií]cula) (?:de|d')\b|"
    r"\b[Ee]n \w+, de [A-ZÁÉÍÓÚ]\w+ [A-ZÁÉÍÓÚ]|\b(?:tactics|philosophy|works|paintings|poetry|theories|music|films|novels) of [A-Z]",
)
_NARRATED = late(r"\b(?:was|were|had|became|[a-z]{3,}ed|fue|fueron|hab[ií]an?|[a-záéíóúñ]{3,}(?:ó|aron|ieron))\b")
_OWN = late(
    r"(?<!tell )(?<!for )(?<!give )\b(?:my|our|ours|we|us|I['’]m|I['’]ve|I|mi|mis|nuestr[oa]s?|nosotr[oa]s|el meu|la meva|nostr[ea]|tenant|employee|patient|"
    r"inquilin[oa]|emplead[oa]|paciente|alumn[oa]|appointment|invoice|factura|deadline|deposit|fianza|n[oó]mina|salary|contract|contrato|"
    r"whatsapp|e-?mail)\b(?! (?:could|can) )"
)
_TITLES = late(r"[«\"“][A-ZÁÉÍÓÚÑ¿¡][^«»\"“”\n]{1,60}[»\"”]")
_PROBLEM = late(
    r"\bhow (?:many|much|old|long|far|tall|fast|big)\b|\bwhat (?:is|are|was|will|would|percent\w*|fraction|number)\b|\bcu[aá]nt[oa]s?\b|"
    r"\bqu[eé] (?:cantidad|porcentaje|edad|parte|fracci[oó]n|proporci[oó]n)\b|\bcu[aá]l (?:es|ser[aá])\b|\bquant(?:s|es|a)?\b|\btotal\b|\bcalcula|\bwhat score\b|\bqu[eé] nota\b|\b(?:an )?average of\b|\bpromedio de\b",
    _I,
)
_QUANTITY = late(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen|twice|half|double|third|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|"
    r"doce|docena|doble|mitad|triple|tercio|cuarta parte)\b",
    _I,
)
_FIRST_PERSON = late(
    r"\b(?:my|our|I(?!I)|I['’]\w+|we|i (?:have|am|did|need|want|drop|think)|mi|mis|nuestr[oa]s?|yo|me|nos|conmigo|le (?:digo|doy|compro|regalo|digo)|"
    r"el meu|la meva|em va|vaig|jo)\b"
)
_TASK = late(
    r"\W{0,3}(?:(?:can|could|would) you |please |puedes |podr[ií]as |por favor,? )?(?:help|put together|compose|draft|write|make|give me|prepare|polish|"
    r"rewrite|rephrase|translate|add|plan|book|schedule|move|cancel|summari[sz]e the (?:call|meeting|chat)|tell|ask|remind|reply|answer|email|call|"
    r"is [A-Z]|does [A-Z]|why (?:is|does|did|has|won|can)|how (?:do|can|should) |corrige|prep[aá]rame|prepara|inventa|dame|haz|hazme|redacta|escribe|traduce|"
    r"añade|apunta|reserva|cancela|cambia|mueve|ayúdame|dile|¿?(?:es|est[aá]|tiene|por qu[eé]|c[oó]mo) |escriu|fes|prepara['’]m|com |afegeix|canvia)",
    _I,
)
_MADE_UP = late(
    r"\b(?:story|stories|fairy ?tale|fiction\w*|fable|screenplay|short film|character(?:s)? (?:named|called)|once upon|riddle|tongue.twister|sonnet|poem|lyrics|"
    r"limerick|joke|cuento|f[aá]bula|relato|ficci[oó]n|poema|adivinanza|chiste|[eé]rase una vez|personaje|conte|rondalla|for example|e\.g\.|"
    r"por ejemplo|translate (?:this|the following) sentence|fill in the blank|sentences?|alice and bob|alicia y bob|dialogue|di[aá]logo|roleplay|haiku|script for|rhyme|rap|trivia|quiz)\b",
    _I,
)


def is_public_prose(around: str) -> bool:
    """Tell whether a paragraph is about what everybody may know: history, science, the arts, sport.

    Two signs are needed (years, words of such a subject, titles of works), and none that somebody's own affairs are told.
    """
    if _OWN.search(_TITLES.sub(" ", around)):
        return False
    years = len(_YEAR.findall(around)) + len(_CENTURY.findall(around))
    subjects = len({word.lower() for word in _STRONG.findall(around)})
    signs = min(years, 2) + min(subjects, 2) + min(len({word.lower() for word in _WEAK.findall(around)}), 2) / 2
    signs += min(len(_TITLES.findall(around)), 1) + 2 * (_ABOUT_A_WORK.search(around) is not None)
    signs += (len(_NARRATED.findall(around)) > 2) / 2 + mentions_public_name(around)
    return signs >= _SIGNS


def is_problem(text: str) -> bool:
    """Tell whether a text is a problem of arithmetic: quantities, a question for one, and nothing of the asker's own."""
    if len(_QUANTITY.findall(text)) < 2 or _PROBLEM.search(text) is None:
        return False
    return re.search(r"(?i)\b(?:my|me|mi|mis|nuestr[oa]|our|we|I)\b", text) is None


def is_told(around: str) -> bool:
    """Tell whether a paragraph asks for something to be done, or tells of the writer: then its first names are near."""
    return _FIRST_PERSON.search(around) is not None or _TASK.match(around) is not None


def is_made_up(text: str) -> bool:
    """Tell whether a text says that it is a story or an example."""
    return _MADE_UP.search(text) is not None


def is_by_line(before: str) -> bool:
    """Tell whether what stands before a name makes it the author of a work."""
    return _BY_WORK.search(before) is not None


def paragraph(text: str, start: int, end: int) -> str:
    """Return the paragraph around a place, at most some hundred characters of it on either side."""
    first = max(text.rfind("\n\n", 0, start) + 1, start - _AROUND, 0)
    last = text.find("\n\n", end)
    return text[first : min(last if last >= 0 else len(text), end + _AROUND)]
