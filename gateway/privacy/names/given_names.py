"""Given names that are common in Spain, in Catalonia and in English-speaking countries.

They stand in for the model where it does not know a name, and only beside a word that says that somebody is meant.
"""

from gateway.privacy.names.spelling import plain

_SPANISH = """
adela adriana adrián agustín agustina aina ainara ainhoa aitana aitor alba alejandra alejandro alfonso alfredo alicia
alma almudena alonso álvaro amaia amalia amparo ana anabel andoni andrea andrés ángel ángela ángeles anselmo antonia
antonio araceli arantxa ariadna arturo asunción aurelio aurora azucena bartolomé basilio beatriz begoña belén benito
berta bernardo blas borja brais bruno camila candela caridad carla carlos carlota carmela carmelo carmen carolina
catalina cayetana cayetano cecilia celia césar charo chema cipriano clara claudia claudio clemente conchi concha
consuelo constanza coral cristian cristina cristóbal dalia damián daniel daniela darío david débora diana diego dolores
domingo edmundo edu eduardo edurne elena elisa elisabet eloy elsa elvira emilia emilio encarna encarnación enrique
erika ernesto esperanza esteban estefanía ester estíbaliz estrella eugenia eugenio eulalia eusebio eva fabián fabiola
fátima federico felipe felisa fermín fernanda fernando fidel francisca francisco fran gabriel gabriela gael gema
genoveva gerardo germán gisela gloria gonzalo gorka graciela gregorio guadalupe guillermo gustavo héctor hernán hugo
ibai ignacio igor iker ildefonso imanol inés inmaculada inma íñigo irati iratxe irene iria isaac isabel isidoro isidro
ismael itziar iván izan jacinto jacobo jaime javier javi jennifer jerónimo jesús jimena joaquín joaquina joel jokin
jon jorge josé josefa josefina joseba juan juana juanjo juanma julia julián juliana julio kepa laura leandro leire
leonardo leonor leticia lidia lola lorena lorenzo lourdes lucas lucía luciano luis luisa luz macarena magdalena maite
manuel manuela manolo mar marcela marcelino marcelo marco marcos margarita mari maría mariana mariano maribel marina
mario marisa marisol marta martín martina mateo matías matilde mauricio maximiliano mayte mercedes micaela miguel
mikel milagros miriam mónica montse moisés nagore naiara natalia nerea nicolás nieves noa noelia noemí nora norberto
nuria olga oliver olivia omar óscar pablo paco paloma paola pascual patricia paula paulino pedro pepa pepe petra pilar
quique rafael rafa ramiro ramón ramona raquel raúl rebeca regina remedios reyes ricardo rita roberto rocío rodrigo
román rosa rosalía rosario roberta rubén sabela salvador samuel sandra santiago santi sara saray saúl sebastián sergio
silvestre silvia simón sofía sonia soledad susana tamara tatiana teodoro teresa tomás toni toñi toñín trinidad unai
urko valentina valeria vanesa vega verónica vicenta vicente víctor victoria virginia vito xabier ximena yago yaiza
yolanda zaira zoe
"""
_CATALAN = """
abril agnès aleix àlex alexandre àngels anna antoni ariadna arnau artur assumpta aurora bàrbara bernat berta biel
blanca blai bruna carles carme cèlia cesc cinta clàudia cristòfol dolors duna eduard elisenda emma enric esteve eudald
eulàlia fèlix ferran fina francesc gemma gerard glòria guillem guiu helena hèctor ignasi imma isaac isidre iu ivet jan
jana jaume jesús joan joana joel jofre jordi jordina josep judit júlia julià laia lali laura lídia llibert lluc llucia
lluïsa lluís lourdes magda manel marc marçal mariona marià martí meritxell mercè mireia miquel montserrat montse nadal
narcís natàlia neus nil núria olga olívia ona oriol pau pep pepeta pere pol queralt quim quima ramon raimon roc roger
roser rosa salvador sergi sílvia sió susanna teia txell vicenç víctor xavi xavier xènia
"""
_ENGLISH = """
aaron abby abdul abigail adam adele adrian agnes aidan aiden aisha alan alana alastair albert alec alex alexander
alexandra alexis alfie alfred ali alice alison alistair allison alyssa amanda amber amelia amina amir amy andrew andy
angela angus anita ann anna anne annette annie anthony antonia aoife archie arthur asha ashley aubrey audrey austin ava
barbara barry beatrice becky ben benjamin bernard beth bethany betty beverly bill billy blake bob bobby brad bradley
brandon brenda brendan brian bridget bronwyn brooke bruce bryan callum calvin cameron carl carlos carol caroline carter
catherine cathy charles charlie charlotte chelsea cheryl chloe chris christian christina christine christopher ciara
claire clara clive cody colin connor conor corey courtney craig cynthia daisy dan daniel danielle danny darren dave
david dawn dean deborah debra declan denise dennis derek diana diane dominic donald donna doris dorothy doug douglas
duncan dylan eamon ed eddie edith edward edwin eileen elaine eleanor elena eli elijah elizabeth ella ellen ellie
elliot emily emma eric erica erin ethan eunice eva evan evelyn farah fatima felicity felix finn fiona florence frances
francesca frank fraser freddie frederick freya gareth gary gavin gemma geoff geoffrey george georgia georgina gerald
gillian gina glen gordon graham greg gregory guy gwen hamish hannah harold harriet harry hassan hazel heather helen
henry hilary holly howard hugh ian imogen imran ingrid irene iris isaac isabel isabella isla ivan ivy jack jackie
jackson jacob jade jake james jamie jan jane janet janice jasmine jason jay jayden jean jeff jeffrey jenna jennifer
jenny jeremy jerry jesse jessica jill jim jimmy joan joanna joanne jodie joe john johnny jon jonathan jordan joseph
josh joshua joy joyce judith judy julia julian julie justin karen karl kate katherine kathleen kathryn kathy katie kayla
keith kelly ken kenneth kerry kevin khalid kieran kim kimberly kirsty kyle lachlan lara larry laura lauren lawrence
leah lee len leo leon leonard leroy leslie lewis liam lily linda lisa liz lois lorna lorraine louis louise lucas lucy
luke lydia lynn maddie madison maeve malcolm marcus margaret maria marian marie marilyn marion marjorie martha martin
marvin mary mason matt matthew maureen max maya megan melanie melissa mia michael michelle mick mike miles millie mimi
miranda miriam mohammed moira molly mona monica morgan muhammad murray nadia nadine nancy naomi natalie natasha nathan
neil nia niamh nicholas nick nicola nicole nigel nikki nina noah noel nora oliver olivia omar orla oscar owen paddy pam
pamela patricia patrick paul paula pauline peggy penelope penny percy pete peter petra phil philip phoebe phyllis polly
priya rachel raj ralph randy ravi ray raymond rebecca rhys richard rick rita rob robert robin rod roger ron ronald rory
rosemary rosie ross roy russell ruth ryan sadie sally sam samantha samuel sandra sara sarah saskia sean sebastian seth
shane shannon sharon shaun shawn sheila shirley sian sidney silvia simon siobhan sophia sophie spencer stacey stanley
stella stephanie stephen steve steven stewart stuart sue susan suzanne sven sylvia tamsin tania tanya tara ted terence
teresa terry thelma theo theodore theresa thomas tiffany tim timothy tina toby todd tom tony tracey travis trevor
tristan tyler una ursula valerie vanessa vera veronica victor vikram vincent violet vivian wanda warren wayne wendy
wesley will william winifred yasmin yusuf yvonne zach zachary zara zoe
"""
_WORDS = """
abril alba alma amber amparo ángel ángeles aurora autumn blanca candela caridad cinta clara clemente concha consuelo
constanza coral dalia dawn dean dolores domingo encarnación esperanza estrella gloria grace guy hazel holly hope
inmaculada iris ivy jade jordan joy lee lily lola luz mar marina mark martín mason may mercedes miles milagros nadal
nieves noel olivia ona paloma pat pau paz penny pilar pol ray reyes rob rod roc rocío rosa rosario ross salvador
santiago sol soledad sue trinidad vega victoria violet virginia will charlotte florence madison austin chelsea sydney
georgia brooke jean art bill frank jack jan max ben christian duna teia sam cesc iu nil
"""
ALSO_WORDS = frozenset(plain(name) for name in _WORDS.split())
"""Names that are words, months or places as well."""
GIVEN_NAMES = ALSO_WORDS | frozenset(plain(name) for name in (_SPANISH + _CATALAN + _ENGLISH).split())
"""All of them, without accents and in small letters."""


def is_given_name(name: str, *, alone: bool = False) -> bool:
    """Tell whether a name begins with a common given name; with one that is no other word, unless it stands alone."""
    first = plain(name.split()[0]) if name.split() else ""
    return first in GIVEN_NAMES and (alone or first not in ALSO_WORDS)
