"""Words that say digits, numbers and letters, in nine languages, and the alphabets by which people spell. Pure data."""

# ruff: noqa: E501 - a list in one piece can be read and searched for

UNITS = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "zero one two three four five six seven eight nine",
    "zero um dois três quatro cinco seis sete oito nove",
    "zéro un deux trois quatre cinq six sept huit neuf",
    "null eins zwei drei vier fünf sechs sieben acht neun",
    "zero uno due tre quattro cinque sei sette otto nove",
    "zero u dos tres quatre cinc sis set vuit nou",
    "nul een twee drie vier vijf zes zeven acht negen",
    "oh una duas _ _ _ meia _ _ _",
    "nil une dues _ _ _ _ _ huit niner",
    "_ ein zwo _ _ fuenf _ _ _ _",
    "_ jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
)
TEENS = (
    "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove",
    "dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf",
    "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
    "tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien",
    "deu onze dotze tretze catorze quinze setze disset divuit dinou",
    "_ _ _ _ quatorze _ dezasseis dezassete _ dezanove",
)
TENS = (
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "vingt trente quarante cinquante soixante septante huitante nonante",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
    "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
    "vint trenta quaranta cinquanta seixanta setanta vuitanta noranta",
)
HUNDREDS = (
    "cien doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos",
    "ciento _ _ _ _ _ _ _ _",
    "cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos novecentos",
    "cem duecento trecento quattrocento cinquecento seicento settecento ottocento novecento",
)
PHONETIC = (
    "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo lima mike november oscar papa quebec "
    "romeo sierra tango uniform victor whiskey whisky x-ray xray yankee zulu"
)
BY_NAME = (
    "Ancona Bologna Como Domodossola Empoli Firenze Genova Imola Jolly Livorno Milano Napoli Otranto Padova Palermo Quarto Roma Savona Torino Udine Venezia Verona Zara "
    "Anton Berta Caesar Cäsar Dora Emil Friedrich Gustav Heinrich Ida Julius Kaufmann Konrad Ludwig Martha Nordpol Otto Paula Quelle Richard Samuel Siegfried Theodor Ulrich Viktor "
    "Wilhelm Xanthippe Ypsilon Zacharias Zeppelin Anatole Berthe Célestin Désiré Eugène François Gaston Henri Irma Joseph Kléber Louis Marcel Nicolas Pierre Raoul Suzanne Thérèse Ursule "
    "Xavier Yvonne Zoé Antonio Burgos Carmen Dolores Enrique Francia Gerona Historia Inés José Lorenzo Madrid Navarra Oviedo París Queso Ramón Sábado Toledo Ulises Valencia Yegua Zaragoza"
)  # of Italian, German, French and Spanish alphabets
NAMED = {
    "zeta": "Z", "equis": "X", "jota": "J", "hache": "H", "efe": "F", "ele": "L", "eme": "M", "ene": "N", "erre": "R", "ge": "G",
    "ka": "K", "cu": "Q", "uve": "V", "zed": "Z", "zee": "Z",
}  # fmt: skip
TIMES = {
    **dict.fromkeys(("doble", "double", "duplo", "dobro", "dupla", "doppel", "doppio", "doppia", "zweimal"), 2),
    **dict.fromkeys(("triple", "triplo", "tripel", "dreimal"), 3),
}
PLUS = "plus más mais più més"
NOTHING = (
    "strich guion guión dash hyphen tiret trait bindestrich trattino hífen hifen traço guió espacio space espace espaço spazio "
    "ponto punto point punkt punt kropka barra slash "
    "ray coma comma virgule vírgula virgola luego then y e et und i and letra letter lettre buchstabe lettera lletra"
)
