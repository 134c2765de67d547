"""Records and confidences that hold no number: health, law, work and money, by words × a personal or business context.

A word alone is a topic ("what is diabetes?"); together with somebody whom it is about it is personal data.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from typing import Any

from gateway.privacy.detectors.detector import Detector, lexicon
from gateway.privacy.detectors.own_affairs.topics import real
from gateway.privacy.patterns import late

_FIELDS = lexicon(
    r"\b(nombre\s*:|apellidos\s*:|n\.?h\.?c\b|cipa\b|nass\b|datos (?:del paciente|asistenciales)|paciente\s*:|"
    r"fecha de (?:ingreso|nacimiento|alta|consulta)|domicilio\s*:|m[eé]dico\s*:|n[ºo°]\s?col|colegiado|historia cl[ií]nica|"
    r"informe (?:cl[ií]nico|de alta|m[eé]dico)|remitido por|episodio\s*:|sexo\s*:|edad\s*:|servicio de [a-z]|cp\s*:|hospital|"
    r"juicio cl[ií]nico|motivo de (?:consulta|ingreso)|patient(?: name)?\s*:|mrn\b|medical record|"
    r"date of (?:birth|admission|discharge)|dob\s*:|attending|discharge summary|chief complaint|referring physician)"
)
_CLINICAL = lexicon(
    r"\b(antecedentes|ingres[aoó]\w*|diagn[oó]stic\w+|diagnos(?:is|ed|tic)|tratamiento|tratad[oa]|exploraci[oó]n|anal[ií]tica|"
    r"ecograf[ií]a|tac\b|\brm\b|resonancia|radiograf[ií]a|biopsia|anatom[ií]a patol[oó]gica|quir[uú]rgic\w+|intervenid[oa]|cirug[ií]a|"
    r"met[aá]stasis|tumor\w*|carcinoma|neoplasia|quimioterapia|radioterapia|fiebre|febril|cefalea|dolor|disnea|hematuria|lesi[oó]n\w*|"
    r"s[ií]ntomas?|cl[ií]nica|hipertensi[oó]n|diabet\w+|alergia|evoluci[oó]n|postoperatorio|urgencias|consulta|fractura|infecci[oó]n|"
    r"antibi[oó]tic\w+|mg\b|dosis|serolog[ií]a|biol[oó]gic\w+|depresi[oó]n|ansiedad|vih\b|hepatitis|embaraz\w+|abdominal|renal|hep[aá]tic\w+|"
    r"history of|presented with|presents with|symptom\w*|treated|treatment|prescrib\w+|surgery|biopsy|ct scan|mri\b|ultrasound|chemotherapy|"
    r"metasta\w+|tumou?r|cancer|fever|headache|pain\b|lesion\w*|hypertension|allerg\w+|dose\b|infection|antibiotic\w*|hiv\b|depression|"
    r"anxiety|pregnan\w+|blood pressure|admitted|discharged|follow-up|examination|laboratory)"
)
_JARGON = lexicon(
    r"\b(?:hta\b|dm ?[12]\b|dlp\b|epoc\b|iam(?:cest|sest)?\b|icc\b|acv\b|tep\b|tvp\b|irc\b|erc\b|itu\b|vih\+?|namc\b|namd?c\b|ap de|aapp|iq ?:|exfumador\w*|paq/a[ñn]o|mmii\b|mmss\b|fi[di]\b|hcd\b|li[di]\b|"
    r"ef ?:|exf ?:|jc ?:|dx ?:|dco ?:|tto\b|tx ?:|mc ?:|ea ?:|beg\b|coc\b|acp\b|acr\b|rha\b|mvc\b|ta:? ?[0-9]{2,3}/[0-9]{2,3}|fc:? ?[0-9]{2,3}|sat(?:o2)?\.?:? ?[0-9]{2}|lpm\b|rpm\b|hb ?[0-9]|pcr\b|ecg\b|eeg\b|rx\b|tc\b|tac\b|rmn\b|pet-tc|"
    r"c/ ?[0-9]{1,2} ?h|/[0-9]{1,2} ?h(?:oras)?\b|[0-9]-[0-9]-[0-9]\b|[0-9] ?mg\b|mg/d[lí]|ng/ml|mmhg|exitus|postoperatorio|apendicectom[ií]a|marcapasos|trasplant\w+|anticoagulad[oa]|quimioterapia|"
    r"[a-záéíóúñ]{2,}(?:itis|ectom[ií]a|plejia|penia|megalia|lit[ií]asis|neumon[ií]a|rragia|estenosis|cardia|c[ií]tic[oa]s?|tensi[oó]n arterial)\b|(?:an|leuc|glic|isqu|hipox|septic|bacteri|dislip|ur)emi[ac]o?s?\b|isqu[eé]mic[oa]|"
    r"(?:carcin|aden|linf|melan|sarc|gli|meningi|miel|hemat|glauc|fibr)omas?\b|neumon[ií]a|hematuria|disnea|astenia|edemas?\b|eritemat\w+|n[oó]dulo|autol[ií]tica|n[aá]useas|v[oó]mitos|asma\b|crohn\b|ictus\b|colelitiasis|hemocultivos?|"
    r"palpitaciones|expectoraci[oó]n|auscultaci[oó]n|crepitantes|sibilancias|estertores|[uú]lceras?\b|hernias?\b|inguinal|liti[aá]sic[oa]|embarazo de|parto prematuro|ces[aá]rea|psiqui[aá]tric[oa]|"
    r"depresiv[oa]|demencia|paliativ[oa]s?|cataratas?\b|epicrisis|pautad[oa]|se (?:pauta|prescribe|ajusta|interviene|deriva|cardiovierte)|antibiot\w+|aspirativ[oa]|convulsi\w+|s[ií]ncope|hemorragia|hematoma|prurito|mialgias?|artralgias?|"
    r"taquicardia|bradicardia|arritmia|soplo|derrame|ascitis|ictericia|melenas|hemoptisis|disuria|polaquiuria|poliuria|estre[nñ]imiento|diarrea|v[eé]rtigo|mareos?\b|parestesias?|hemiparesia|afasia|disartria|luxaci[oó]n|esguince|"
    r"insuficiencia (?:card[ií]aca|renal|respiratoria)|infarto|trombo\w+|embolia|esteatosis|cirrosis|fibrosis|psoriasis|eccema|urticaria|sarampi[oó]n|varicela|tuberculosis|anemia|sepsis|shock|intubad[oa]|sondaj\w+|drenaje|sutura\w*|"
    r"[a-z]{3,}(?:faxina|metasona|solona|ciclina|parina|dronato|tinib|zumab|ximab|mumab|olol|[ae]pril|ca[ií]na|conazol|ciclovir|oxaban|gliptina|gabalina|tiroxina|lukast)\b|"
    r"[a-z]{3,}(?:cilina|micina|floxacin[oa]|prazol|sart[aá]n|statina|dipino|xab[aá]n|cumarol|glutida|formina|cetamol|profeno|zepam|zolam|oxetina|tralina|apina|setr[oó]n)\b)"
)
_SOMEBODY = lexicon(
    r"\b(?:(?:var[oó]n|mujer|hombre|ni[ñn][oa]|paciente|lactante|reci[eé]n nacid[oa]|neonato|anciana?|adolescente|joven|gestante|enferm[oa]|pacient\w+|"
    r"se[ñn]or[a]?|chic[oa]|pte\.?|pcte\.?|beb[eé]|fallecid[oa]|usuari[oa])\b[^.\n]{0,60}?(?:de )?[0-9]{1,3} ?(?:a[ñn]os|meses|d[ií]as|semanas)|(?:pte\.?|pcte\.?|paciente|hombre|mujer|var[oó]n|[vmh]) ?(?:de )?[0-9]{1,3} ?a\b|"
    r"rn (?:a t[eé]rmino|pret[eé]rmino|de [0-9])|"
    r"[0-9]{1,3}[- ](?:year|month|week|day)s?[- ]old (?:\w+ ){0,3}(?:man|woman|male|female|patient|boy|girl|infant|child|gentleman|lady)|"
    r"(?:el|la|nuestr[oa]|este|esta|un|una) paciente|paciente (?:que|con|sin|var[oó]n|mujer|acude|ingresa|presenta|refiere)|"
    r"(?:the|our|this) patient (?:was|is|has|had|presented|reports|denies|underwent)|pt\.? (?:presents|c/o|reports))"
)
_AGE = lexicon(r"\b[0-9]{1,3} a[ñn]os\b")
_I = r"(?:(?:yo )?me (?:han|ha|hab[ií]an) (?:diagnosticado|detectado|encontrado|operado|recetado)|i(?:'ve| have| was| am| got|'m)(?: just| been| recently| newly)* (?:diagnosed|prescribed|hospitali[sz]ed))"
_ILL = (
    r"(?:vih|sida|c[aá]ncer|tumor|diabetes|depresi[oó]n|ansiedad|bipolar\w*|esquizofrenia|epilepsia|hepatitis|alzheimer|parkinson|leucemia|"
    r"endometriosis|embarazo|aborto|adicci[oó]n|alcoholismo|anorexia|bulimia|hiv|aids|cancer|tumou?r|depression|anxiety|bipolar|schizophrenia|"
    r"epilepsy|leuk(?:a)?emia|pregnancy|abortion|miscarriage|addiction|alcoholism|s[ií]filis|syphilis|chemo(?:therapy)?|quimio(?:terapia)?|"
    r"diagn[oó]stico|diagnosis|biopsia|biopsy|psiquiatra|psychiatrist|therapist|psic[oó]log[oa]|medicaci[oó]n|medication|antidepres\w+)"
)
_MINE = r"(?:mi|mis|my|nuestr[oa]|our)"
_KIN = (
    r"(?:madre|padre|hij[oa]|herman[oa]|marido|mujer|esposa|esposo|pareja|abuel[oa]|jef[ea]|compa[ñn]er[oa]|emplead[oa]|client[ea]|"
    r"mother|father|son|daughter|brother|sister|husband|wife|partner|boss|colleague|employee|client|mum|mom|dad)"
)
_OWN_HEALTH = lexicon(
    rf"\b(?:{_I}|{_MINE} {_ILL}\b|{_MINE} (?:nuev[oa] |new |recent )?{_ILL}\b|{_MINE} {_KIN} (?:tiene|padece|sufre|has|suffers from|was diagnosed with|is being treated for) "
    rf"(?:de |un |una |a |an )?{_ILL}|(?:tengo|padezco|sufro|i have|i suffer from|estoy en tratamiento (?:por|para)) (?:de |el |un |una |a |an |stage \w+ )?"
    rf"(?:vih|sida|c[aá]ncer|diabetes|depresi[oó]n|epilepsia|hepatitis|hiv|aids|cancer|depression|epilepsy|bipolar|ansiedad)\b|soy (?:vih|seropositiv[oa])|"
    r"estoy embarazada|i am (?:hiv|pregnant)|i'm (?:hiv|pregnant))"
)
_NAME = r"[A-ZÁÉÍÓÚÑÜ][a-záéíóúñüç'’-]{1,20}"
_YEARS = r"(?:[0-9]{1,2}|1[01][0-9])\b"  # of a person: clubs and banks are older
_AGED = (
    rf"(?:,? (?:de )?{_YEARS} a[ñn]os(?: de edad)?|,? aged? {_YEARS}|,? {_YEARS}(?:[- ]years?[- ]old)?(?=,)|"
    rf" \({_YEARS}(?: a[ñn]os| years old)?\))"
)
_FOUND_ILL = (
    r"(?:(?:was|is|has been)(?: [a-z]+){0,2} (?:diagnosed with|treated for|positive for)|tested positive for|suffers from|"
    r"diagnosticad[oa] (?:de|con)|padece|sufre|dio positivo (?:en|por)|en tratamiento (?:por|de|para|con))"
)
_PATIENT = late(
    rf"(?<![\w.])(?P<value>{_NAME}(?: (?:de |del |de la |van |von )?{_NAME}){{1,3}}{_AGED},?(?: [^.;:\n]{{0,50}}?)?\b{_FOUND_ILL} [^.;\n]{{2,60}})"
)
_LEGAL = lexicon(
    r"\b(?:(?:procedimiento|autos|diligencias(?: previas)?|expediente|juicio [a-z]+|recurso)(?: n[^\s]{0,3})? ?[0-9]{1,6}/(?:19|20)[0-9]{2}|"
    r"n\.?i\.?g\.?\s?:?\s?[0-9]{5}[0-9. -]{10,20}|case no\.? ?[0-9]{1,2}:[0-9]{2}-(?:cv|cr)-[0-9]+|secreto de sumario|"
    r"attorney[- ]client privileged?|privileged (?:and|&) confidential|secreto profesional|"
    r"(?:mi|nuestro|my|our) (?:abogad[oa]|lawyer|attorney|cliente|client) (?:ha|me|says|told|has|fue|est[aá]|was|is) [^.\n]{0,80}?"
    r"(?:demanda\w*|denuncia\w*|divorcio|custodia|detenid[oa]|acusad[oa]|lawsuit|sued|suing|divorce|custody|charged|arrested|settlement))"
)
_UNRELEASED = lexicon(
    r"\b(?:(?:a[uú]n |todav[ií]a )?no (?:se ha |est[aá] |ha sido )?(?:anunciad[oa]|p[uú]blic[oa]|publicad[oa]|comunicad[oa])|antes de(?: que se)? (?:anunci\w+|hacer(?:lo|la)? p[uú]blic[oa])|"
    r"estrictamente confidencial|confidencial(?:idad)?|no difundir|uso interno|bajo nda|under nda|strictly confidential|confidential|internal only|"
    r"do not (?:share|distribute)|not (?:yet )?(?:been )?(?:announced|public)|before (?:we |it is |the )?(?:announce\w*|public announcement)|unannounced|embargo(?:ed)?)\b"
)
_PLANS = lexicon(
    r"\b(?:despid\w+|despedir\w*|ere\b|erte\b|lay-?offs?|layoff|redundanc\w+|fusi[oó]n|adquisici[oó]n|opa\b|merger|acquisition|acquire|takeover|"
    r"resultados (?:del )?trimestre|quarterly (?:results|earnings)|earnings|plantilla|headcount|ronda de financiaci[oó]n|funding round|term sheet|"
    r"lanzamiento|unreleased|roadmap|oferta de compra|n[oó]minas?|salarios?|salar(?:y|ies)|borrador|contrato|contract|litigio|lawsuit|acuerdo|settlement)"
)
_BUSINESS = lexicon(
    r"\b(?:nuestr[oa]s?|our|we|vamos|empresa|compa[ñn][ií]a|company|equipo|team|clientes?|clients?|board|consejo|direcci[oó]n)\b"
)
_MONEY = lexicon(
    rf"\b(?:{_MINE} (?:n[oó]mina|salario|sueldo|saldo|hipoteca|deuda|pensi[oó]n|salary|wage|bank balance|mortgage|debt|pension|net worth|credit score)"
    r"(?: \w+){0,4}? (?:es|de|son|is|of|was|:)?\s?(?:de )?[$€£]?\s?[0-9][0-9.,]{2,}|(?:gano|cobro|i earn|i make|debo|i owe) [$€£]?\s?[0-9][0-9.,]{2,})"
)


_RECORD = lexicon(f"{_FIELDS.pattern[4:]}|{_SOMEBODY.pattern[4:]}")


_RECORD_PROPOSAL = (
    r"(?i)nombre|apellidos|n\.?h\.?c|cipa|nass|datos|paciente|fecha|domicilio|dico|col|historia|informe|remitido|episodio|sexo|edad|"
    r"servicio|cp|hospital|juicio|motivo|patient|mrn|medical|date|dob|attending|discharge|complaint|referring|old|pt|"
    r"[0-9] ?a\b|\brn |hta|epoc|lpm|tto|dx ?:|jc ?:|ef ?:|rx|ecg|mg|"
    r"antecedentes|tratamiento|diagn|biopsia|tumor|ecograf|dolor|treatment|biopsy|symptom|"
    r"[0-9] ?(?:a.{1,2}os|meses|d.{1,2}as|semanas)"
)
_PROPOSED = late(_RECORD_PROPOSAL)
_DENSE = 8  # so many clinical words in one text are a clinical text, whoever it is about


def _record(text: str) -> tuple[int, int] | None:
    """Return where a record stands; None: there is none.

    Its fields are two kinds with clinical words, or four kinds; or somebody's age stands beside clinical words.
    """
    fields: dict[str, tuple[int, int]] = {}
    for match in _FIELDS.finditer(text[:40_000]):
        fields.setdefault(match[0].lower().rstrip(" :"), match.span())
    terms = {match[0].lower() for match in _CLINICAL.finditer(text[:40_000])}
    jargon = {match[0].lower() for match in _JARGON.finditer(text[:40_000])}
    weight = len(terms | jargon) + len(jargon)
    if len(fields) >= 5 or (len(fields) >= 2 and weight >= 3) or (fields and len(jargon) >= 2):
        return next(iter(fields.values()))
    if (len(terms) >= _DENSE or len(jargon) >= _DENSE // 2) and _PROPOSED.search(text) is not None:
        dense = _CLINICAL.search(text) or _JARGON.search(text)
        return dense.start(), dense.end()
    person = _SOMEBODY.search(text) if weight >= 3 else None
    if person is None and weight >= 4 and jargon:
        person = _AGE.search(text)
    return (person.start(), person.end()) if person is not None else None


def _first(pattern: Any, text: str) -> tuple[int, int] | None:
    found = pattern.search(text)
    return None if found is None else (found.start(), found.end())


def _own_health(text: str) -> tuple[int, int] | None:
    hits = (match.span() for match in _OWN_HEALTH.finditer(text))
    return next((span for span in hits if real(text, *span)), None)


def _plans(text: str) -> tuple[int, int] | None:
    """Return where an unreleased matter of one's own firm stands; None: nowhere.

    It is told by three kinds of words near each other.
    """
    for match in _UNRELEASED.finditer(text):
        around = slice(max(0, match.start() - 300), match.end() + 300)
        if _PLANS.search(text[around]) and _BUSINESS.search(text[around]):
            return match.start(), match.end()
    return None


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="clinical_record",
        category="health.record",
        pattern=_RECORD,
        proposal=_RECORD_PROPOSAL,
        source="RGPD art. 9, Ley 41/2002, HIPAA 45 CFR 160.103: record fields, or somebody's age beside clinical words",
        whole=_record,
        confidence=0.9,
        joins=False,
    ),
    Detector(
        name="own_health",
        category="health.personal",
        pattern=_OWN_HEALTH,
        source="RGPD art. 9: an illness with a possessive or a first person",
        whole=_own_health,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="named_patient",
        category="health.personal",
        pattern=_PATIENT,
        proposal=rf"(?i){_FOUND_ILL}",
        source="RGPD art. 9: a full name, an age and an illness that was found, in one sentence",
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="legal_matter",
        category="legal.case",
        pattern=_LEGAL,
        source="Ley Orgánica 5/2024 del Derecho de Defensa; case numbers of courts, privilege, one's own lawyer",
        whole=lambda text: _first(_LEGAL, text),
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="unreleased_plans",
        category="legal.confidential",
        pattern=_UNRELEASED,
        source="Ley 1/2019 de Secretos Empresariales, MAR 596/2014: a plan, of one's own firm, not yet public",
        whole=_plans,
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="own_money",
        category="financial.personal",
        pattern=_MONEY,
        source="an amount of one's own income, debt or wealth",
        whole=lambda text: _first(_MONEY, text),
        confidence=0.6,
        joins=False,
    ),
)
