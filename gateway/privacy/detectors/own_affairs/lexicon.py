"""The lexicons of `topics`, English and Spanish, as alternatives of regular expressions. Data only.

Words that programs, games or kitchens use as well (trial, operation, receta, condition, stroke) are left out or named
with their company: a missed confidence can be written down as one's own word, a false alarm annoys everybody.
"""

# ruff: noqa: E501 - a list in one piece can be read and searched for

KIN = (
    r"wife|husband|partner|girlfriend|boyfriend|mother|father|mum|mom|dad|son|daughter|child|kid|baby|brother|sister|grandmother|grandfather|"
    r"grandma|grandpa|aunt|uncle|cousin|niece|nephew|ex|friend|flatmate|roommate|neighbou?r|boss|manager|colleague|cowork\w+|employee|client|"
    r"mujer|marido|espos[oa]|pareja|novi[oa]|madre|padre|mam[aá]|pap[aá]|hij[oa]s?|beb[eé]|herman[oa]s?|abuel[oa]s?|t[ií][oa]|prim[oa]|sobrin[oa]|"
    r"suegr[oa]|cu[nñ]ad[oa]|amig[oa]|compa[nñ]er[oa]|vecin[oa]|jef[ea]|emplead[oa]|client[ea]|ex ?mujer|ex ?marido|ex-wife|ex-husband"
)

# Between an owner and the word: then it is something else that is owned.
BREAKS = (
    r"about|on|for|over|regarding|concerning|against|that|which|who|and|or|if|research\w*|essay|paper|article|thesis|project|app|code|function|class|model|"
    r"game|film|movie|novel|book|story|song|poem|character|protagonist|hero|heroine|database|dataset|table|website|blog|course|exam|homework|"
    r"lecture|presentation|assignment|studied|study|studying|read|wrote|write|writing|teach|learn\w*|questions?|knowledge|fear|interest|idea|"
    r"sobre|acerca|para|que|y|o|si|ensayo|art[ií]culo|tesis|proyecto|aplicaci[oó]n|c[oó]digo|funci[oó]n|clase|modelo|juego|pel[ií]cula|"
    r"novela|libro|cuento|canci[oó]n|poema|personaje|protagonista|tabla|web|curso|examen|trabajo|presentaci[oó]n|deberes|estudi\w+|le[ií]do|"
    r"preguntas?|dudas?|miedo|inter[eé]s|idea|contra"
)
# Behind the word: a subject of study, a thing for it, a piece of software.
NEUTRAL = (
    r"research\w*|dataset|data ?set|essay|paper|article|thesis|project|app|application form template|class|model|exam|course|homework|awareness|charity|"
    r"statistics|prediction|predictor|detection|detector|classifier|classification|calculator|simulator|template|generator|tracker|parser|chatbot|"
    r"website|page|table|column|field|function|script|novel|story|game|character|cell line|cells?|biology|museum|memorial|"
    r"de ejemplo|calculadora|plantilla|simulador|dataset|de la novela|del personaje"
)
# What tells that a character speaks.
SPEECH = (
    r"said|says|asked|whispered|replied|cried|shouted|murmured|sobbed|answered|muttered|exclaimed|sighed|"
    r"dijo|pregunt[oó]|susurr[oó]|respondi[oó]|contest[oó]|exclam[oó]|murmur[oó]|grit[oó]|solloz[oó]|replic[oó]|a[nñ]adi[oó]|suspir[oó]"
)

HAS = (
    r"have|had|has|got|getting|suffer\w*|diagnosed|tested positive|test positive|positive for|treated|treatment|on|tak(?:e|es|ing)|prescribed|living with|live with|lives with|struggl\w+|battling|"
    r"fighting|with|recover\w+|relapsed?|survived|tengo|tiene|tienen|tuve|tuvo|ten[ií]a|padezco|padece|padec[ií]a|sufro|sufre|sufri[oó]|sufr[ií]|sufrido|tomo|toma|tomando|"
    r"diagnosticad[oa]|diagnosticaron|diagnosticado|positivo en|positiva en|positivo por|dado positivo|detectado|detectaron|encontrado|tratamiento|medic[oa]|con|recay\w+|operad[oa]|operan|operaron|operar"
)
HAS_SHORT = r"['’]ve|['’]s"

ILLNESSES = (
    r"hiv|aids|cancer|leuk(?:a)?emia|lymphoma|melanoma|tumou?rs?|diabetes|diabetic|epilepsy|depression|anxiety(?: disorder)?|panic attacks|bipolar(?: disorder)?|schizophrenia|"
    r"ptsd|ocd|adhd|autism|autistic|anorexia|bulimia|eating disorder|hepatitis(?: [abc])?|syphilis|gonorrh(?:o)?ea|chlamydia|herpes|hpv|std|sti|tuberculosis|"
    r"multiple sclerosis|parkinson(?:['’]s)?|alzheimer(?:['’]s)?|dementia|lupus|crohn(?:['’]s)?|ulcerative colitis|endometriosis|pcos|fibromyalgia|arthritis|psoriasis|asthma|copd|"
    r"heart disease|heart attack|kidney (?:failure|disease|stones)|high blood pressure|hypertension|covid|pneumonia|migraines?|insomnia|erectile dysfunction|"
    r"infertility|miscarriage|abortion|stillbirth|antidepressants|methadone|sertraline|prozac|lithium|insulin|ssris?|chemo(?:therapy)?|radiotherapy|dialysis|suicidal thoughts|"
    r"vih|sida|c[aá]ncer|leucemia|linfoma|tumor(?:es)?|epilepsia|depresi[oó]n|ansiedad|ataques de p[aá]nico|(?:trastorno )?bipolar\w*|esquizofrenia|tept|toc|tdah|autismo|"
    r"trastorno (?:de|del|alimentario|obsesivo)[\w ]{0,14}|s[ií]filis|gonorrea|clamidia|vph|tuberculosis|esclerosis(?: m[uú]ltiple)?|demencia|colitis|fibromialgia|artritis|asma|epoc|"
    r"infarto|ictus|insuficiencia renal|hipertensi[oó]n|neumon[ií]a|migra[nñ]as?|insomnio|infertilidad|aborto|antidepresivos|metadona|sertralina|litio|insulina|"
    r"quimio(?:terapia)?|radioterapia|di[aá]lisis|pensamientos suicidas|alcoholismo|alcoholism|ludopat[ií]a"
)
HEALTH_OWNED = (
    ILLNESSES
    + r"|diagnosis|diagnoses|prognosis|biops(?:y|ies)|mri|ct scan|mammogram|colonoscopy|pap smear|ultrasound(?: results)?|blood (?:tests?|work|results|pressure|sugar)|"
    r"lab results|viral load|cholesterol|medications?|prescriptions?|antibiotics|painkillers|inhaler|surgery|hysterectomy|vasectomy|ivf|pregnancy|"
    r"medical (?:history|records?|condition|report|leave|file)|health (?:condition|records?|problems?|issues?)|sick leave|disability|disabilities|injur(?:y|ies)|symptoms|allerg(?:y|ies)|addiction|"
    r"drinking problem|relapse|overdose|rehab|therapist|psychiatrist|psychologist|oncologist|gyn(?:a)?ecologist|urologist|cardiologist|neurologist|doctor|gp|chest pains?|back pain|"
    r"diagn[oó]sticos?|pron[oó]stico|biopsias?|resonancia|tac|mamograf[ií]a|ecograf[ií]a|colonoscopia|citolog[ií]a|anal[ií]ticas?|an[aá]lisis de sangre|"
    r"tensi[oó]n arterial|az[uú]car en sangre|carga viral|colesterol|medicaci[oó]n|pastillas para|receta m[eé]dica|antibi[oó]ticos|operaci[oó]n de|cirug[ií]a|"
    r"embarazo|historial (?:m[eé]dico|cl[ií]nico)|historia cl[ií]nica|informe m[eé]dico|baja m[eé]dica|baja por (?:depresi[oó]n|ansiedad|enfermedad|embarazo)|enfermedad|discapacidad|minusval[ií]a|"
    r"s[ií]ntomas|alergias?|adicci[oó]n|reca[ií]da|sobredosis|psiquiatra|psic[oó]log[oa]|onc[oó]log[oa]|ginec[oó]log[oa]|ur[oó]log[oa]|cardi[oó]log[oa]|"
    r"neur[oó]log[oa]|m[eé]dic[oa]|terapeuta|tratamiento (?:de|para|contra|m[eé]dico)"
)
HEALTH_PHRASES = (
    r"i(?:['’]m| am| was| got| might be| may be|['’]ve been) (?:\w+ )?(?:pregnant|hiv[- ]positive|seropositive|suicidal|bipolar|diabetic|epileptic|autistic|infertile|an alcoholic|terminally ill|in rehab|bulimic|anorexic)|"
    r"i (?:just |recently |have |had )*(?:miscarried|overdosed|relapsed|self-harm\w*|cut myself)|i (?:want|wanted|tried|am going) to (?:kill myself|die\b|end my life)|"
    r"i (?:just |have |'ve )*tested positive|i(?:['’]ve| have) been (?:told (?:that )?i have|diagnosed|hospitali[sz]ed|sectioned)|my (?:doctor|gp|psychiatrist|therapist) (?:says|said|told|thinks|prescribed|diagnosed|put me)|"
    r"my (?:period|tests?) (?:is|are|came back) (?:late|positive)|i had (?:a|an|my) (?:\w+ )?(?:miscarriage|abortion|stroke|heart attack|seizure|biopsy|mastectomy|hysterectomy|overdose|nervous breakdown|psychotic episode)|"
    r"de baja (?:m[eé]dica |laboral )?por (?:depresi[oó]n|ansiedad|estr[eé]s|enfermedad)|estoy (?:embarazada|deprimid[oa]|de baja (?:por|m[eé]dica)|en tratamiento)|soy (?:vih|seropositiv[oa]|diab[eé]tic[oa]|epil[eé]ptic[oa]|bipolar|alcoh[oó]lic[oa]|al[eé]rgic[oa] a|autista|est[eé]ril|lud[oó]pata)|"
    r"(?:he|ha|hemos) dado positivo|me (?:han |ha |he )?(?:diagnosticado|diagnosticaron|detectado|detectaron|recetado|recetaron|operan|operaron de|operado de|ingresaron|hospitalizaron|extirpado|extirparon)|"
    r"(?:he tenido|tuve|sufr[ií]|he sufrido|acabo de tener) un (?:aborto|infarto|ictus|brote|ataque de (?:p[aá]nico|ansiedad))|quiero (?:suicidarme|matarme|morirme|quitarme la vida)|he (?:intentado suicidarme|reca[ií]do)|"
    r"mi (?:m[eé]dic[oa]|psiquiatra|ginec[oó]log[oa]|onc[oó]log[oa]) (?:dice|me|cree|dijo)|a mi (?:madre|padre|herman[oa]|hij[oa]|mujer|marido|pareja|abuel[oa]|jef[ea]|compa[nñ]er[oa]) le (?:han )?(?:diagnosticad|detectad|encontrad|operan|operad)"
)

MONEY_OWNED = (
    r"payslips?|pay ?stubs?|salary|paycheck|paycheque|wages?|debts?|mortgage|(?:student |personal |car )?loans?|overdraft|savings|tax (?:returns?|bill|debt)|"
    r"bank (?:statements?|account|balance|details)|credit (?:score|report|card debt|history)|pension|inheritance|bankruptcy|insolvency|net worth|alimony|child support|401\(?k\)?|"
    r"unpaid (?:rent|bills|taxes)|gambling (?:debts?|losses)|severance pay|"
    r"n[oó]minas?|sueldos?|salarios?|deudas?|hipotecas?|pr[eé]stamos?|ahorros|declaraci[oó]n de (?:la renta|hacienda|impuestos)|borrador de la renta|"
    r"cuenta (?:bancaria|corriente|de ahorro)|extractos? bancarios?|saldo (?:bancario|de la cuenta)|pensi[oó]n|herencia|embargo|concurso de acreedores|"
    r"patrimonio|pensi[oó]n alimenticia|recibos impagados|alquiler atrasado|finanzas personales"
)
MONEY_PHRASES = (
    r"i(?:['’]m| am| went| have gone)(?: \w+)? (?:bankrupt|in debt|insolvent|behind on (?:my|the) (?:rent|mortgage|payments|bills|loan))|(?:i|we) (?:can['’]?t|cannot|can no longer) (?:afford|pay) (?:my|our|the|this month['’]s) (?:rent|mortgage|debts?|loan|bills)|"
    r"i (?:owe|borrowed|lost|inherited) (?:my |the |about |almost |over |more than )?(?:\w+ )?[$€£]?\s?[0-9][0-9.,]*|i (?:owe) (?:\w+ ){0,3}(?:money|thousands)|(?:estoy|estamos) (?:arruinad[oa]s?|endeudad[oa]s?|en (?:la )?(?:quiebra|bancarrota|asnef))|"
    r"no (?:puedo|podemos|llego a|llegamos a) (?:pagar|afrontar|fin de mes)|(?:debo|le debo|deb[ií]a|cobro|gano|he heredado|me deben) (?:unos |casi |m[aá]s de )?[0-9][0-9.,]*\s?(?:€|euros?|mil)|me (?:han )?(?:embargado|embargan|embargaron|van a embargar)|"
    r"i (?:earn|make|get paid) (?:about |around |only )?[$€£]\s?[0-9][0-9.,]*k?|i(?:['’]m| am) paid [$€£]\s?[0-9]"
)

LAW_OWNED = (
    r"divorce(?: settlement| papers)?|custody (?:battle|case|hearing|dispute)|lawsuits?|court (?:case|date|hearing|order)|criminal record|probation|parole|arrest|asylum (?:application|claim|case)|"
    r"deportation|restraining order|eviction|plea deal|lawyer|attorney|solicitor|barrister|legal (?:case|dispute|problems?)|paternity test|prenup|last will|"
    r"divorcio|custodia|demanda (?:de|por|contra|judicial|laboral)|denuncia (?:por|contra|de)|juicio (?:por|de|contra|oral)|antecedentes penales|libertad condicional|orden de alejamiento|"
    r"desahucio|deportaci[oó]n|solicitud de asilo|expediente (?:de extranjer[ií]a|disciplinario|sancionador|judicial)|abogad[oa]|procurador[a]?|testamento|capitulaciones|"
    r"pleito|litigio|condena|imputaci[oó]n"
)
LAW_PHRASES = (
    r"(?:i(?:['’]m| am| was| got|['’]ve been| have been)|we(?:['’]re| are| were| got|['’]ve been| have been)) (?:being |just |recently |about to be )*(?:sued|suing|arrested|charged with|indicted|evicted|deported|convicted|divorcing|getting (?:a )?divorced?|under investigation|subpoenaed)|"
    r"i (?:want|plan|intend|am going) to (?:sue|divorce|press charges)|we (?:want|plan|intend|are going) to sue|i filed (?:for (?:divorce|custody|asylum)|a (?:lawsuit|complaint|police report))|i (?:did|served) time|"
    r"(?:me|nos) (?:han |ha |van a |quieren )?(?:demandado|denunciado|detenido|imputado|condenado|desahuciado|demandan|denuncian|demandar|denunciar|desahuciar|desahucian|detuvieron|denunciaron|demandaron|absuelto|citado a declarar)|"
    r"(?:voy|vamos|quiero|queremos|pienso) a? ?(?:demandar|denunciar|divorciarme|divorciarnos|querellar\w*)|(?:he|hemos) (?:sido )?(?:demandado|denunciado|presentado (?:una )?(?:demanda|denuncia|querella))|me (?:estoy divorciando|divorcio|divorci[eé])|"
    r"estoy (?:imputad[oa]|investigad[oa] por|en libertad|sin papeles|en tr[aá]mites de)"
)

WORK_OWNED = (
    r"dismissal|resignation(?: letter)?|severance|redundancy|lay-?off|performance (?:review|appraisal|improvement plan)|disciplinary (?:hearing|meeting|action|procedure)|harassment (?:complaint|case)|"
    r"grievance|notice period|work permit|unemployment benefits?|"
    r"despido|dimisi[oó]n|finiquito|indemnizaci[oó]n por despido|carta de (?:renuncia|dimisi[oó]n|despido)|baja (?:laboral|voluntaria)|evaluaci[oó]n de(?:l)? (?:desempe[nñ]o|rendimiento)|"
    r"expediente (?:disciplinario|laboral)|prestaci[oó]n por desempleo|acoso laboral"
)
WORK_PHRASES = (
    r"i(?:['’]m| am| was|['’]ve been| have been| got)(?: \w+)? (?:fired|laid off|made redundant|sacked|let go|dismissed from (?:my|work|the)|furloughed|unemployed|being (?:fired|harassed|bullied|laid off))|i(?:['’]m| am) (?:\w+ )?(?:going to|about to|planning to) (?:resign|quit my job|hand in my notice)|"
    r"my (?:boss|manager|supervisor|colleague|cowork\w+|employer) (?:\w+ ){0,2}(?:harass\w*|fired me|bull(?:y|ies|ied|ying)|threaten\w*|discriminat\w*|sexually)|"
    r"we(?:['’]re| are| will|['’]ll| have to| need to| plan to| want to| must)(?: \w+){0,3} (?:lay off|laying off|let go of|letting go of|dismiss|make redundant|fire|firing)(?: \w+){0,2} (?:[0-9]+|people|employees?|workers?|staff|the team|half|our|him|her|someone)\b|"
    r"(?:me|nos) (?:han |ha |van a |quieren )(?:despedido|despedir|echado del trabajo|echar del trabajo|sancionado)|me (?:despidieron|despiden|echaron del trabajo)|(?:voy|pienso|quiero) a? ?(?:dimitir|dejar (?:mi|el) trabajo|presentar mi dimisi[oó]n)|"
    r"(?:vamos|tenemos|hay) (?:a|que) (?:despedir|prescindir de|hacer un ere|presentar un ere)|(?:haremos|presentaremos|prepara(?:mos|ndo)|negociamos) un ere\b|mi (?:jef[ea]|encargad[oa]|compa[nñ]er[oa]) (?:me )?(?:\w+ )?(?:acosa|insulta|amenaza|discrimina|humilla)|"
    r"sufro (?:acoso|mobbing)|estoy (?:en (?:el )?paro|en un ere|en un erte)"
)

UNTOLD = (
    r"(?:a[uú]n |todav[ií]a )?no (?:se ha |est[aá] |ha sido |lo hemos |la hemos |lo han )?(?:anunciad[oa]s?|p[uú]blic[oa]s?|publicad[oa]s?|comunicad[oa]s?|hecho p[uú]blico)|sin anunciar|antes de(?:l| que se(?:a)?| hacerl[oa]| publicarl[oa]s?| anunciarl[oa]s?| comunicarl[oa]s?)?(?: el| la| los| las)? ?(?:anunci\w*|p[uú]blic\w*|presentaci[oó]n oficial|junta|nota de prensa)|antes de (?:publicarl[oa]s?|anunciarl[oa]s?|comunicarl[oa]s?)|"
    r"no (?:lo|la) (?:sabe nadie|cuentes|difundas|compartas)|nadie (?:lo|la) sabe|confidencial(?:es)?|no difundir|uso (?:exclusivamente )?interno|bajo nda|under nda|strictly confidential|confidential|internal (?:use )?only|company confidential|"
    r"do not (?:share|distribute|disclose)|don['’]t (?:share|tell|disclose)|(?:not|n['’]t)(?: yet)?(?: been)?(?: made)? (?:announced|public|disclosed)|before (?:we|it|it is|it['’]s|they|the|this is|this)(?: \w+){0,2} (?:announce\w*|public\w*|press release)|before (?:announcing|the (?:public )?announcement|the press release|the launch|the earnings call)|unannounced|"
    r"embargoed|under embargo|bajo embargo|nobody knows|no one knows|haven['’]t (?:told|announced)|have not (?:told|announced)|keep (?:it|this) (?:quiet|secret|confidential|between us)|under wraps|material non-?public"
)
PLANS = (
    r"despid\w+|despedir\w*|ere\b|erte\b|lay(?:ing)? ?-?offs?|redundanc\w+|restructur\w+|reestructuraci[oó]n|fusi[oó]n|fusionar\w*|adquisici[oó]n|adquirir|opa\b|merg(?:er|ing|e with)|acqui(?:sition|re|ring)|takeover|"
    r"resultados (?:del |de )|quarterly|q[1-4]\b|earnings|plantilla|headcount|ronda de|funding round|series [a-e]\b|term sheet|ipo\b|salida a bolsa|lanza(?:miento|r|remos)|launch\w*|unreleased|roadmap|hoja de ruta|"
    r"oferta de compra|bid\b|tender|licitaci[oó]n|pric(?:e|ing) (?:change|increase|rise|list)|subida de precios|strategy|estrategia|cierre de|cerrar (?:la|el)|clos(?:e|ing) (?:the|our|down)|sell(?:ing)? (?:the|our) (?:company|business|division)|vend(?:er|emos) (?:la|nuestra)|"
    r"new (?:product|model|ceo|chip|drug)|nuevo (?:producto|modelo|director)|patent\w*|bankruptcy|concurso de acreedores|partnership|contract with|contrato con|insolvency|budget cuts|recortes"
)
FIRM = r"nuestr[oa]s?|our|we|us|we(?:['’]re|['’]ll|['’]ve)|vamos|tenemos|hemos|empresa|compa[nñ][ií]a|startup|company|firm|board|consejo|direcci[oó]n|ceo|cfo|management|shareholders|accionistas|investors|inversores|staff|plantilla|team|equipo"
HUSHED = (
    r"unreleased|unannounced|unpublished|confidential|secret|top-secret|internal|undisclosed|proprietary|embargoed|pre-?launch|not[- ]yet[- ]announced|in[eé]dit[oa]s?|confidencial(?:es)?|secret[oa]s?|intern[oa]s?|"
    r"sin anunciar|sin publicar|no anunciad[oa]s?|no publicad[oa]s?|a[uú]n no (?:anunciad|publicad|presentad)[oa]s?"
)
OWN_PLANS = (
    r"roadmap|product (?:plans?|launch|line)|products?|plans? (?:for|to)|strategy|pricing|price list|financials|forecasts?|results|earnings|figures|revenue|margins?|acquisition|merger|deal|designs?|prototypes?|formula|patents?|"
    r"client list|customer list|source code|contract|bid|offer|memo|restructuring|hoja de ruta|planes? (?:de|para)|estrategia|precios|tarifas|cuentas|previsi[oó]n|previsiones|resultados|cifras|m[aá]rgenes|adquisici[oó]n|fusi[oó]n|acuerdo|"
    r"dise[nñ]os?|prototipos?|f[oó]rmula|patentes?|lista de clientes|c[oó]digo fuente|contrato|oferta|reestructuraci[oó]n|lanzamiento|productos?"
)
