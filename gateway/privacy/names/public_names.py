"""Names that are cited most: of history, science, the arts, sport and public life. One signal among others.

Surnames that are enough by themselves (`Einstein`) and full names. A name of this list still counts where a text says
that somebody of that name is near: `my patient Isabel Allende`.
"""

from itertools import pairwise

from gateway.privacy.names.spelling import plain
from gateway.privacy.patterns import late

_CAPITAL = late(r"\b[A-ZÀ-ÖØ-Þ][\w-]+")
_ALONE = """
aristotle aristóteles plato platón socrates sócrates archimedes arquímedes euclid pythagoras pitágoras cicero cicerón
caesar cleopatra napoleon napoleón bonaparte hitler stalin lenin mussolini churchill roosevelt gandhi mandela obama
trump biden putin merkel macron thatcher bismarck robespierre voltaire rousseau descartes spinoza leibniz kant hegel
nietzsche marx engels freud jung sartre heidegger wittgenstein foucault derrida galileo kepler copernicus copérnico
einstein bohr heisenberg schrödinger planck faraday feynman hawking darwin mendel pasteur curie turing gödel euler
gauss riemann hilbert poincaré ramanujan fermat bernoulli laplace fourier lagrange tesla edison musk bezos zuckerberg
shakespeare cervantes goethe tolstoy tolstói dostoevsky dostoievski chekhov kafka proust hemingway orwell borges
cortázar neruda quevedo góngora galdós picasso dalí goya velázquez rembrandt vermeer monet michelangelo mozart
beethoven bach chopin wagner verdi vivaldi stravinsky elvis beyoncé madonna rihanna shakira hitchcock kubrick
spielberg tarantino almodóvar buñuel messi ronaldo maradona pelé federer djokovic quixote quijote hamlet macbeth
sherlock frankenstein dracula gandalf hermione voldemort tolkien rowling confucius confucio buddha mahoma magellan
magallanes columbus azaña cajal gaudí montesquieu machiavelli maquiavelo keynes
"""
_FULL = """
ada lovelace | alan turing | albert einstein | alexander fleming | alexander the great | alfred hitchcock | alfred
nobel | angela merkel | anne frank | abraham lincoln | andrés iniesta | antoni gaudí | antonio machado | arthur conan
doyle | barack obama | benito pérez galdós | benjamin franklin | bernie sanders | bill clinton | bill gates | boris
johnson | brad pitt | carl sagan | carlos alcaraz | charles babbage | charles darwin | charles dickens | che guevara |
christopher columbus | christopher nolan | clara campoamor | coco chanel | cristiano ronaldo | cristóbal colón | david
bowie | david beckham | david hume | diego velázquez | diego maradona | donald knuth | donald trump | edgar allan poe
| elon musk | elvis presley | emily brontë | emily dickinson | emma watson | enrique iglesias | ernest hemingway |
federico garcía lorca | felipe gonzález | fernando alonso | fidel castro | florence nightingale | francis bacon |
francis ford coppola | francisco de goya | francisco franco | franz kafka | freddie mercury | frida kahlo | gabriel
garcía márquez | galileo galilei | geoffrey hinton | george bush | george orwell | george washington | gordon moore |
grace hopper | greta thunberg | gustav mahler | guido van rossum | harry potter | hillary clinton | hernán cortés |
henry ford | isaac asimov | isaac newton | isabel allende | isabel la católica | iker casillas | indira gandhi | j. k.
rowling | jane austen | jane goodall | jeff bezos | jennifer lopez | joan of arc | joe biden | johann sebastian bach |
john f. kennedy | john lennon | john locke | john stuart mill | john wayne | jorge luis borges | josé saramago | juan
carlos i | julio cortázar | julio iglesias | julius caesar | kamala harris | karl marx | kim kardashian | kurt cobain
| kylian mbappé | lady gaga | larry page | lebron james | leo messi | leo tolstoy | leonardo da vinci | leonardo
dicaprio | lewis carroll | lewis hamilton | linus torvalds | lionel messi | louis armstrong | louis pasteur | luis
buñuel | ludwig van beethoven | mahatma gandhi | malala yousafzai | manuel azaña | mao zedong | margaret atwood |
margaret thatcher | margarita salas | maria sharapova | mariano rajoy | marie curie | marilyn monroe | mario vargas
llosa | mark twain | mark zuckerberg | martin luther king | martin luther | mary shelley | max planck | meryl streep |
michelle obama | michael jackson | michael jordan | michael phelps | miguel de cervantes | miguel de unamuno | miguel
induráin | morgan freeman | muhammad ali | napoleon bonaparte | neil armstrong | nelson mandela | niccolò machiavelli
| niels bohr | nikola tesla | noam chomsky | octavio paz | oprah winfrey | oscar wilde | pablo neruda | pablo picasso
| pau gasol | paul mccartney | pedro almodóvar | pedro sánchez | penélope cruz | pep guardiola | queen elizabeth |
quentin tarantino | rafael nadal | ramón y cajal | richard feynman | richard dawkins | robert downey | roger federer |
ronald reagan | rosa parks | rosalind franklin | rosalía de castro | salvador allende | salvador dalí | sam altman |
santa claus | santiago ramón y cajal | scarlett johansson | sean connery | serena williams | sergey brin | severo
ochoa | sherlock holmes | sigmund freud | simón bolívar | simone de beauvoir | stephen curry | stephen hawking |
stephen king | steve jobs | steven spielberg | sundar pichai | sylvia plath | taylor swift | tim cook | tim berners-
lee | thomas edison | thomas jefferson | tom cruise | tom hanks | truman capote | umberto eco | usain bolt | vincent
van gogh | virginia woolf | vladimir putin | volodymyr zelensky | walt disney | walt whitman | warren buffett |
william shakespeare | winston churchill | winnie the pooh | wolfgang amadeus mozart | xi jinping | yann lecun | yao
ming | yoshua bengio | yuri gagarin | zinedine zidane | james bond | james watson | francis crick | ian fleming | jack
the ripper | peter pan | mickey mouse | donald duck | bugs bunny | bart simpson | homer simpson | darth vader | luke
skywalker | indiana jones | don quijote | alice in wonderland | robin hood | king arthur | rey arturo | mona lisa |
bruce lee | bruce willis | bruce wayne | clark kent | peter parker | tony stark | lois lane | jesus christ |
jesucristo | virgin mary | pontius pilate | joan miró | jordi pujol | mercè rodoreda | joan maragall | pau casals |
montserrat caballé | ramon llull | lluís companys | carles puigdemont
"""
_ALONE_NAMES = frozenset(plain(name) for name in _ALONE.split())
_FULL_NAMES = frozenset(plain(" ".join(name.split())) for name in _FULL.split("|"))


def is_public_name(name: str) -> bool:
    """Tell whether a name is one of those that are cited most: as a whole, or by a surname that needs no other."""
    words = plain(name).replace("'s", "").replace("’s", "").split()
    if len(words) == 1:
        return words[0] in _ALONE_NAMES
    return any(" ".join(words[:count]) in _FULL_NAMES for count in range(2, len(words) + 1))


def mentions_public_name(text: str) -> bool:
    """Tell whether one of them stands in a text, with a capital letter."""
    words = [plain(word) for word in _CAPITAL.findall(text)]
    return any(word in _ALONE_NAMES for word in words) or any(
        f"{first} {second}" in _FULL_NAMES for first, second in pairwise(words)
    )
