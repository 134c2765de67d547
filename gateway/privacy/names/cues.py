"""Words beside a name that say whose it is: somebody who is written to or spoken of, an author, a place. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re

from gateway.privacy.patterns import late

_I = re.IGNORECASE

TITLE = late(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Dra|Prof|Sr|Sra|Srta|D|Dña|Don|Doña|Lic|Ing|En|Na)\.?\s{1,2}\Z"
    r"|\b(?i:mr|mrs|ms|mx|dra|sra|srta|dña|don|doña)\.?\s{1,2}\Z"
)
INTRODUCED = late(
    r"\b(?:names? (?:is|are|was)|call(?:s|ed)? (?:me|him|her|them)|known as|called|named|signed by|last name\?|i'?m|"
    r"(?:me|se) llam[oa]|llamad[oa]s?|(?:mi|su) (?:nombre|apellido)s? (?:es|era)|(?:em|es) di[uc]|regards,|sincerely,|saludos?,|atentamente,)"
    r"\W{1,3}\Z",
    _I,
)
_KIN = (
    r"kid|son|daughter|wife|husband|partner|mother|mom|mum|father|dad|boss|manager|sister|brother|cousin|aunt|auntie|uncle|niece|"
    r"nephew|patient|client|customer|colleague|coworker|co-worker|workmate|friend|boyfriend|girlfriend|ex|neighbou?r|teacher|"
    r"student|pupil|tenant|landlord|landlady|employee|therapist|flatmate|roommate|grandm[a-z]{1,6}|grandf[a-z]{1,6}|grandson|"
    r"granddaughter|baby|stepson|stepdaughter|fianc[eé]e?"
)
_PARIENTE = (
    r"hij[oa]|marido|mujer|madre|padre|mam[aá]|pap[aá]|jef[ea]|herman[oa]|prim[oa]|t[ií][oa]|sobrin[oa]|abuel[oa]|niet[oa]|suegr[oa]|"
    r"cuñad[oa]|nov[i][oa]|pareja|ex|amig[oa]|compañer[oa]|vecin[oa]|paciente|client[ea]|alumn[oa]|profe(?:sora?)?|inquilin[oa]|"
    r"caser[oa]|emplead[oa]|bebé|niñ[oa]|filla?|germana?|cosin[a]?|mare|pare|company[a]?|amiga?|veï(?:na)?|xicota?|nòvi[a]?|home|dona"
)
RELATED = late(
    rf"(?:\b(?:my|our|her|his|their|your)\s(?:\w+\s)?(?:{_KIN})|\b(?:mi|mis|tu|su|nuestr[oa]|el meu|la meva|el teu|la teva|l[ao] meu)\s"
    rf"(?:{_PARIENTE})|\b(?:aunt(?:ie|y)?|uncle|(?:la|el)\s(?:t[ií][oa]|prim[oa]|alumn[oa]|paciente|client[ea]|vecin[oa]|pacient|veïna?)))"
    r"[\s,:]{1,3}(?:(?:la|el|en|l['’])\s?)?\Z",
    _I,
)
MINE = late(
    rf"\b(?:(?:my|our)\s(?:\w+\s)?(?:{_KIN})|(?:mi|mis|nuestr[oa]|el meu|la meva)\s(?:{_PARIENTE}))[\s,:]{{1,3}}(?:(?:la|el|en|l['’])\s?)?\Z",
    _I,
)
_MISSIVE = r"(?:birthday |thank.you |cover |reference |rejection |wedding |sympathy )?(?:message|letter|card|note|e-?mail|reply|answer|warning|reminder|reference|text|whatsapp|invitation|toast|condolences?|apology|complaint)(?: letter| card)?"
_MISIVA = (
    r"(?:mensaje|carta|tarjeta|nota|correo|e-?mail|whatsapp|respuesta|aviso|recordatorio|felicitaci[oó]n?|recomendaci[oó]n?|invitaci[oó]n?|"
    r"discurso|despedida|disculpa|p[eé]same|missatge|targeta|resposta|avís|recordatori|felicitació|recomanació|invitació)"
    r"(?: de [\wáéíóúàèòç]+)?"
)
_ADDRESS_EN = (
    r"(?:(?:write|reply|respond|apologi[sz]e|explain|mention it|say|speak|talk|listen|send (?:it|this|that)|give (?:it|this|that)|"
    r"break it|report|complain) (?:back )?(?:to|with)|e-?mail|message|text|whatsapp|call|phone|ring|ask|tell|remind|thank|invite|contact|"
    r"answer|congratulate|warn|chase|meet with|follow up with|help me answer|"
    rf"{_MISSIVE} (?:to|for|from|about|that)|told|book .{{3,30}} for|normal that|why (?:is|does|did|has|won't|doesn't)|whether|agreed with|"
    r"notes on|feedback (?:for|on|to)|review of|hi|hello|hey|dear|thanks?|sorry)"
)
_ADDRESS_ES = (
    r"(?:(?:escr[ií]be(?:le|les)?|escribir(?:le)?|dile|diles|decir(?:le)?|digo|dice(?:le)?|recu[eé]rda(?:le|selo)?|recordar(?:le)?|"
    r"preg[uú]nta(?:le|selo)?|preguntar(?:le)?|cont[eé]sta(?:le)?|contestar(?:le)?|resp[oó]nde(?:le)?|responder(?:le)?|ll[aá]ma(?:le|la|lo)?|"
    r"llamar(?:le|la|lo)?|av[ií]sa(?:le)?|avisar(?:le)?|fel[ií]cita(?:le)?|felicitar|m[aá]nda(?:le|selo)?|mandar(?:le)?|env[ií]a(?:le|selo)?|"
    r"enviar(?:le)?|expl[ií]ca(?:le|selo)?|explicar(?:le)?|inv[ií]ta(?:le)?|invitar|cu[eé]nta(?:le|selo)?|contar(?:le)?|p[ií]de(?:le)?|"
    r"pedir(?:le)?|da(?:le)? las gracias|convencer?|agrad[eé]ce(?:le)?|ay[uú]da(?:me)?(?: a \w+)?|redacta(?:le)?)"
    rf"(?: de \w+)?\s(?:a|con|para)|{_MISIVA} (?:para|a|de)|(?:reserva|mesa|habitaci[oó]n) para|normal que|se entere|hola|querid[oa]|estimad[oa]|"
    r"buenas|gracias|perdona|por qu[eé])"
)
_ADDRESS_CA = (
    r"(?:(?:escriu(?:-li)?|escriure(?:-li)?|digue(?:s|-li)?|dir-li|recorda(?:-li)?|recordar(?:-li)?|pregunta(?:-li)?|respon(?:-li|dre)?|contesta"
    r"(?:-li|r)?|truca(?:-li|r)?|explica(?:-li|r)?|avisa(?:r)?|envia(?:-li)?|demana(?:-li)?|felicita(?:r)?|convida(?:r)?|dona-li)"
    rf"(?: les gràcies)?\s(?:a|amb|per)|{_MISIVA} (?:per a|per|a|de)|normal que|benvolgu(?:t|da)|estimada?)"
)
_ARTICLE = r"(?:(?:la|el|en|na|l['’]|al|d['’]en|don|doña|mr|mrs|ms|miss|dr)\.?\s?)?"
ADDRESSED = late(rf"\b(?:{_ADDRESS_EN}|{_ADDRESS_ES}|{_ADDRESS_CA})[\s,:]{{1,2}}{_ARTICLE}\Z", _I)
_AFFAIR = (
    r"appointments?|contract|salary|payslips?|review|performance|file|complaint|birthday|wedding|funeral|divorce|promotion|deposit|rent|"
    r"dismissal|leave|shift|holidays?|grades?|marks|homework|(?:son|daughter|wife|husband|mother|father|kid|baby|brother|sister)|results?|"
    r"diagnosis|treatment|surgery|tests?|interview|cv|resume|resignation|application|account|debt|invoice|address|phone|e-?mail|number|desk|"
    r"messages?|party|medication|prescription|request|attendance|behaviou?r"
)
_ASUNTO = (
    r"citas?|contrato|evaluaci[oó]n|n[oó]mina|baja|expediente|queja|solicitud|boda|cumpleaños|fianza|alquiler|despido|finiquito|vacaciones|turno|"
    r"notas|hij[oa]s?|mujer|marido|madre|padre|herman[oa]|entrevista|deuda|diagn[oó]stico|tratamiento|ingreso|fiesta|ascenso|permiso|"
    r"direcci[oó]n|tel[eé]fono|correo|mensajes?|resultados|pruebas?|medicaci[oó]n|receta|operaci[oó]n|faltas|cita|cites|contracte|avaluació|"
    r"baixa|queixa|sol·licitud|casament|aniversari|fiança|lloguer|acomiadament|filla?|reunió"
)
OWNED_BEFORE = late(rf"\b(?:{_ASUNTO})\s(?:de|d['’]|del)\s?{_ARTICLE}\Z", _I)
OWNED_AFTER = late(rf"\A['’]s\s(?:\w+\s)?(?:{_AFFAIR})\b", _I)
BESIDE_ME = late(r"\A\s(?:and (?:me|I|my)\b|y (?:para |a )?m[ií]\b|y yo\b|i jo\b|i (?:per a )?mi\b)", _I)
ACTS = late(
    r"\A,?\s(?:(?:still |just |also |always |never |really |todav[ií]a |ya |siempre |nunca |encara |ja |sempre )?(?:keeps?|won['’]t|doesn['’]t|"
    r"didn['’]t|hasn['’]t|can['’]t|isn['’]t|wasn['’]t|says|wants|cries|needs to|asked (?:me|us)|told (?:me|us)|owes|lives (?:on|in|at|with)|"
    r"is (?:from|a very|very|so|always|always|on (?:sick )?leave|ill|sick|pregnant|leaving|late)|has (?:missed|been|left|asked)|had given|"
    r"(?:can|could) (?:I|you) please|me (?:escribe|ha|han|dijo|debe|llama|pide|pregunta)|no (?:me|quiere|duerme|viene|puede|ha|se|vol|ve|pot|dorm|li)|"
    r"(?:dice|diu) que|llora|plora|quiere|vol|est[aá] (?:de baja|enferm|embarazad|muy)|va (?:dir|sortir|deixar)))",
    _I,
)
VOCATIVE_AFTER = late(r"\A,\s(?:can|could|please|I'm|thanks|te |por favor|puedes|pots)", _I)
ARTICLE = late(
    r"(?:\A|[\s(«\"'’])(?:d['’]en|l['’]|(?:en|na|la|a la|de la|amb la|per la|al?|amb en|a en|per en)\s|a l['’])\Z", _I
)
CATALAN = late(
    r"\b(?:amb|els|aquest|és|què|perquè|però|vol|diu|digue|escriu|recorda-li|meu|meva|ajuda['’]m|dijous|dilluns|divendres|dimarts|"
    r"canvia|que no li|que li|encara|nota: la|no vol|per què|va (?:sortir|dir|venir|deixar)|contesta|felicitació|hi va)\b|l·l",
    _I,
)
FIELD = late(
    r"(?:\A|[\n>:;,(\[-])\s{0,3}(?:tenant|patient|employee|customer|client|student|pupil|name|full name|holder|claimant|attendees?|cc|from|to|"
    r"inquilin[oa]|paciente|emplead[oa]|client[ea]|alumn[oa]|nombre|titular|asistentes?|nota|note(?: to file)?|billing address|"
    r"leave of|vacaciones de|nom|pacient|llogater[a]?)\s?[:=]?\s{1,3}(?:(?:LA|EL|EN|la|el|en)\s)?\Z",
    _I,
)
PLACE_BEFORE = late(
    r"\b(?:calle|c/|avenida|avda\.?|plaza|paseo|ronda|carrer|plaça|avinguda|universidad|hospital|instituto|colegio|museo|aeropuerto|estadio|"
    r"premios?|fundaci[oó]n|teorema de|ley de|leyes de|efecto|m[eé]todo de|escuela|ies|ceip|biblioteca|teatro|parque|estaci[oó]n|university of|"
    r"escola|institut|isla|cabo|monte|r[ií]o|barrio de|ciudad de|south|north|rua|via|algoritmo de|n[uú]mero de|constante de|ecuaci[oó]n(?:es)? de)\s{1,2}\Z",
    _I,
)
PLACE_AFTER = late(
    r"\A(?:['’]s)?[\s-](?:university|college|school|street|road|avenue|square|park|hospital|institute|foundation|prize|award|medal|theorem|law|laws|"
    r"effect|equations?|algorithm|method|airport|stadium|museum|library|inc|ltd|llc|gmbh|corp|& co|& sons|and sons|brothers|bridge|island|"
    r"county|city|river|lake|mountain|syndrome|disease|distribution|transform|process|number|constant|test|index|scale|group|bank|hotel|"
    r"motors|records|pictures|press|festival|cup|trophy|museo|orchestra|investments|consulting|club|country club|theatre|stadium)\b",
    _I,
)
CREDITED = late(
    r"(?:copyright|\(c\)|©|@?authors?:|maintainers?:|contributed by|based on (?:code|work) (?:by|from)|patch (?:by|from)|thanks to|reported by|"
    r"written by|originally by)[^\n]{0,40}\Z",
    _I,
)
