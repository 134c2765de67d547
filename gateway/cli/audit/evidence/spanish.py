"""`aduana audit verify` and `report` in Spanish: English sentence → Spanish one."""

from collections.abc import Mapping
from types import MappingProxyType

SPANISH: Mapping[str, str] = MappingProxyType(
    {
        # words
        "proved": "demostrado",
        "not proved": "sin demostrar",
        "open": "abierto",
        "refuted": "refutado",
        "note": "nota",
        "public": "público",
        "internal": "interno",
        "sensitive": "sensible",
        "local": "local",
        "cloud": "nube",
        "nobody": "nadie",
        "ok": "respondida",
        "error": "error",
        "cancelled": "cancelada",
        "refused": "rechazada",
        "unknown": "interrumpida",
        "running": "en curso",
        # the period
        "{since} to {until}": "del {since} al {until}",
        "from {since} on": "desde el {since}",
        "until {until}": "hasta el {until}",
        "everything": "todo el registro",
        "this machine's time": "hora de este equipo",
        "{period} ({zone}); requests: {count}": "{period} ({zone}); peticiones: {count}",
        "requests: {count}": "peticiones: {count}",
        "the ledger itself": "el propio registro",
        "checkpoints: {source}; key: {keys}": "puntos de control: {source}; clave: {keys}",
        "built in: no target gets a label above its ceiling": "incluido: ningún destino recibe un nivel por encima de su "
        "techo",
        "built in: sensitive requests stay local, by whatever rule, fallback, shadow or unknown fact": "incluido: las "
        "peticiones sensibles se quedan en casa, sea cual sea la regla, la alternativa, la sombra o el hecho desconocido",
        # verdicts
        "All of it is proved.": "Todo queda demostrado.",
        "Nothing speaks against it; what is marked as open is not proved.": "Nada lo contradice; lo que figura como "
        "abierto no está demostrado.",
        "It is refuted: see the lines in question.": "Queda refutado: véanse las líneas correspondientes.",
        # claims
        "There was no request labelled {value}.": "No hubo ninguna petición de nivel {value}.",
        "There was no request tagged {value}.": "No hubo ninguna petición con la etiqueta {value}.",
        "No request tagged {value} is on record.": "En el registro no hay ninguna petición con la etiqueta {value}.",
        "Of the requests that are erased by now, {count} had no cloud among their permitted targets and were answered "
        "by none, whatever their tags were.": "De las peticiones ya borradas, {count} no tuvieron ninguna nube entre sus "
        "destinos permitidos ni las respondió ninguna, llevaran las etiquetas que llevaran.",
        "No request labelled {value} had a cloud among its permitted targets, none was answered by one or tried at one "
        "({count} of them).": "Ninguna petición de nivel {value} tuvo una nube entre sus destinos permitidos; ninguna la "
        "respondió una nube ni se intentó en ella (son {count}).",
        "No request tagged {value} had a cloud among its permitted targets, none was answered by one or tried at one "
        "({count} of them).": "Ninguna petición con la etiqueta {value} tuvo una nube entre sus destinos permitidos; "
        "ninguna la respondió una nube ni se intentó en ella (son {count}).",
        "Requests labelled {value} had a cloud among their permitted targets ({permitted} of {count}), were answered by "
        "one ({answered}) or tried at one in vain ({tried}): {examples}.": "Hay peticiones de nivel {value} que tuvieron "
        "una nube entre sus destinos permitidos ({permitted} de {count}), que respondió una nube ({answered}) o que se "
        "intentaron en ella en vano ({tried}): {examples}.",
        "Requests tagged {value} had a cloud among their permitted targets ({permitted} of {count}), were answered by "
        "one ({answered}) or tried at one in vain ({tried}): {examples}.": "Hay peticiones con la etiqueta {value} que "
        "tuvieron una nube entre sus destinos permitidos ({permitted} de {count}), que respondió una nube ({answered}) o "
        "que se intentaron en ella en vano ({tried}): {examples}.",
        "Some requests that are erased by now could go to a cloud ({count}); whether they were tagged {value} is not "
        "known any more.": "Algunas peticiones ya borradas podían ir a una nube ({count}); ya no se sabe si llevaban la "
        "etiqueta {value}.",
        "Of some requests ({count}) it was not written down which of their targets are clouds.": "De algunas peticiones "
        "({count}) no quedó anotado cuáles de sus destinos son nubes.",
        # faults
        "The receipt {request} of {time} was changed (link {number}).": "El recibo {request}, de {time}, fue modificado "
        "(eslabón {number}).",
        "A receipt of {time} was removed (link {number}), and nothing says why.": "Un recibo de {time} fue eliminado "
        "(eslabón {number}) y nada dice por qué.",
        "Where a request went was changed: its settlement of {time} (link {number}).": "Se modificó adónde fue una "
        "petición: su liquidación de {time} (eslabón {number}).",
        "A settlement of {time} was removed (link {number}), and nothing says why.": "Una liquidación de {time} fue "
        "eliminada (eslabón {number}) y nada dice por qué.",
        "The salt of a record of {time} was removed (link {number}), so it can't be checked any more.": "Se eliminó la "
        "sal de una anotación de {time} (eslabón {number}), así que ya no se puede comprobar.",
        "Records were added behind the gateway's back, for which no link stands: {count}.": "Se añadieron anotaciones a "
        "espaldas de la pasarela, sin ningún eslabón: {count}.",
        "Links were removed before link {number}, of {time}: {count}.": "Se eliminaron eslabones antes del eslabón "
        "{number}, de {time}: {count}.",
        "Link {number}, of {time}, does not say what its receipt {request} says.": "El eslabón {number}, de {time}, no "
        "dice lo mismo que su recibo {request}.",
        "The chain does not end as the ledger says: its last links were changed or removed.": "La cadena no termina como "
        "dice el registro: sus últimos eslabones fueron modificados o eliminados.",
        "The chain has no beginning: its first links were removed, or there never was one.": "La cadena no tiene "
        "principio: se eliminaron sus primeros eslabones, o nunca la hubo.",
        "The checkpoint of {time} signed another chain up to link {number}: what it covers was changed or removed, and "
        "the chain computed anew. (A ledger that was put back from a backup looks like this too.)": "El punto de control "
        "de {time} firmó otra cadena hasta el eslabón {number}: lo que cubre fue modificado o eliminado, y la cadena se "
        "calculó de nuevo. (Un registro repuesto desde una copia también se ve así.)",
        "The checkpoint of {time} covers more links than the ledger has, by {count}: the newest records were removed. (A "
        "ledger that was put back from a backup, or copied before that checkpoint, looks like this too.)": "El punto de "
        "control de {time} cubre más eslabones de los que tiene el registro (faltan {count}): se eliminaron las anotaciones "
        "más recientes. (Un registro repuesto desde una copia, o copiado antes de ese punto de control, también se ve así.)",
        "The same key signed checkpoints of another chain ({count}, the last one at {time}): the ledger was replaced by "
        "another one, and the records that they cover are not here.": "La misma clave firmó puntos de control de otra "
        "cadena ({count}, el último de {time}): el registro fue sustituido por otro, y las anotaciones que cubren no "
        "están aquí.",
        "Checkpoints name the key, and it did not sign them ({count}): somebody changed or made them.": "Hay puntos de "
        "control que nombran la clave sin que ella los firmara ({count}): alguien los modificó o los fabricó.",
        "None of the checkpoints ({count}) is signed by this key: they prove nothing.": "Ninguno de los puntos de "
        "control ({count}) está firmado por esta clave: no demuestran nada.",
        "… and {count} more.": "… y {count} más.",
        # whether it is whole
        "No checkpoint covers this ledger. Whoever can write it could have changed it, and computed the chain anew.": "Ningún "
        "punto de control cubre este registro. Quien puede escribir en él pudo modificarlo y calcular de nuevo la cadena.",
        "Nothing was removed or changed up to the checkpoint of {time} (link {number}; checkpoints that agree: {count}; "
        "signed by the key {key}).": "No se eliminó ni se modificó nada hasta el punto de control de {time} (eslabón "
        "{number}; puntos de control que coinciden: {count}; firmados por la clave {key}).",
        "The checkpoints come from the ledger itself: whoever can change it can remove the newest ones too. Set "
        "ledger.checkpoints_to, and name that file with --checkpoints.": "Los puntos de control salen del propio "
        "registro: quien puede modificarlo puede quitar también los más recientes. Configura ledger.checkpoints_to y "
        "nombra ese archivo con --checkpoints.",
        "The last checkpoint is from {time}: nothing is proved after it. Later requests: {count}.": "El último punto de "
        "control es de {time}: después de él no hay nada demostrado. Peticiones posteriores: {count}.",
        "Requests that stand among those of the period in the chain, and carry another time, because the clock was set: "
        "{count}. They count as the period's.": "Peticiones que en la cadena están entre las del periodo y llevan otra "
        "fecha, porque se cambió el reloj: {count}. Cuentan como del periodo.",
        "The last checkpoint is from {time}, before the period ends: nothing is proved after it.": "El último punto de "
        "control es de {time}, antes de que acabe el periodo: después de él no hay nada demostrado.",
        "The ledger itself has a newer checkpoint than the file, of {time}: the file was cut off, or could not be "
        "written.": "El propio registro tiene un punto de control más reciente que el archivo, de {time}: el archivo fue "
        "cortado, o no se pudo escribir.",
        "The file has checkpoints for newer records than the ledger, from after the period: {count}. The ledger was copied "
        "before them, or those records were removed.": "El archivo tiene puntos de control de anotaciones más recientes que "
        "el registro, posteriores al periodo: {count}. El registro se copió antes, o esas anotaciones se eliminaron.",
        "Lines of the file that are cut off, or no checkpoints: {count}.": "Líneas del archivo cortadas, o que no son "
        "puntos de control: {count}.",
        "Lines that other keys signed prove nothing here: {keys}.": "Las líneas firmadas por otras claves no demuestran "
        "nada aquí: {keys}.",
        "Requests of the period that came before the chain began, on {time}, are not covered: {count}.": "Las peticiones "
        "del periodo anteriores al comienzo de la cadena, el {time}, no están cubiertas: {count}.",
        "The chain begins on {time}, after the period does: nothing is proved about the time before.": "La cadena empieza "
        "el {time}, después de que empiece el periodo: del tiempo anterior no hay nada demostrado.",
        "Requests erased on demand: {erased}; removed because of their age: {aged}; both as it was written down. Of them "
        "the chain still knows time, label and zones.": "Peticiones borradas porque alguien lo pidió: {erased}; "
        "eliminadas por su antigüedad: {aged}; de ambas cosas queda constancia. De ellas la cadena conserva la hora, el "
        "nivel y las zonas.",
        "Checkpoints of other ledgers in the file: {count}.": "Puntos de control de otros registros en el archivo: {count}.",
        "Requests answered by a cloud that got pseudonyms in place of what was found: {count}. They count under the label "
        "that was left.": "Peticiones que respondió una nube que recibió seudónimos en lugar de lo encontrado: {count}. "
        "Cuentan con el nivel que les quedó.",
        # the page
        "What left, and what did not": "Qué salió y qué no",
        "The question": "La pregunta",
        "Integrity of the record": "Integridad del registro",
        "Where requests were answered": "Dónde se respondieron las peticiones",
        "Label": "Nivel",
        "At home": "En casa",
        "In the cloud": "En la nube",
        "By nobody": "Por nadie",
        "Together": "En total",
        "Counted along the chain, so that requests which are erased by now are counted too. By nobody: they were refused, "
        "failed or still run.": "Contadas a lo largo de la cadena, de modo que también cuentan las peticiones ya "
        "borradas. Por nadie: se rechazaron, fallaron o siguen en curso.",
        "There was no request.": "No hubo ninguna petición.",
        "Sensitive requests, by target": "Peticiones sensibles, por destino",
        "Answered by": "Respondió",
        "Zone": "Zona",
        "Outcome": "Resultado",
        "Requests": "Peticiones",
        "How requests ended": "Cómo acabaron las peticiones",
        "Asked a second time, to compare models: {count}.": "Preguntadas por segunda vez, para comparar modelos: {count}.",
        "Rules in force": "Reglas en vigor",
        "Policy (digest)": "Política (huella)",
        "configured now": "la configurada ahora",
        "First request": "Primera petición",
        "Last request": "Última petición",
        "Each request names the digest of the rules that decided about it. A digest is another one as soon as a rule is.": "Cada "
        "petición lleva la huella de las reglas que decidieron sobre ella. En cuanto cambia una regla, cambia la huella.",
        "Of the rules that are configured now (digest {digest}) a prover says, for every request that could come:": "De las "
        "reglas configuradas ahora (huella {digest}), esto dice un demostrador para toda petición que pueda llegar:",
        "These rules make no claims.": "Estas reglas no afirman nada.",
        "Checkpoints and key": "Puntos de control y clave",
        "Chain": "Cadena",
        "Begun": "Comienzo",
        "Links": "Eslabones",
        "Key": "Clave",
        "taken from beside the ledger; it has to be the one that was handed out before": "tomada de junto al registro; tiene "
        "que ser la que se entregó en su día",
        "Checkpoints": "Puntos de control",
        "that agree: {count}": "que coinciden: {count}",
        "Taken from": "Tomados de",
        "Removed on": "Eliminadas el",
        "Reason": "Motivo",
        "erased on demand": "alguien lo pidió",
        "age": "antigüedad",
        "Anybody can verify this, on any machine and offline, with a copy of the ledger, the file of checkpoints and the "
        "public key:": "Cualquiera puede comprobarlo, en cualquier equipo y sin conexión, con una copia del registro, el "
        "archivo de puntos de control y la clave pública:",
        "Here and below, only requests are counted whose records are still there.": "Aquí y más abajo se cuentan solo las "
        "peticiones cuyas anotaciones siguen ahí.",
        "What this does not prove": "Qué no demuestra esto",
        "That the gateway's own program does what it writes down. Its source is open, and 'aduana audit privacy' tries to "
        "get planted secrets out of it.": "Que el propio programa de la pasarela haga lo que anota. Su código es abierto, y "
        "«aduana audit privacy» intenta sacarle secretos plantados.",
        "What became of requests that went around the gateway: from a browser, a telephone, an app with a key of its own. "
        "What keeps those in is the network, not this record.": "Qué fue de las peticiones que no pasaron por la pasarela: "
        "las de un navegador, un teléfono o una aplicación con su propia clave. Eso lo impide la red, no este registro.",
        "That every label is right. What no detector finds and nobody tags is not labelled sensitive; the record then "
        "says, truthfully, that it left.": "Que todos los niveles sean correctos. Lo que ningún detector encuentra y nadie "
        "etiqueta no queda como sensible; entonces el registro dice, y es verdad, que salió.",
        "What happened before the chain began, or after the last checkpoint.": "Qué pasó antes de que empezara la cadena, "
        "o después del último punto de control.",
        "That a target called local is at home. The record holds the zone that the configuration gave it at that time.": "Que "
        "un destino llamado local esté en casa. El registro guarda la zona que la configuración le daba en aquel momento.",
        "What was said. The record holds no prompt and no answer.": "Qué se dijo. El registro no guarda ni preguntas ni "
        "respuestas.",
        "That the key is the right one: whoever verifies must have had the public key, or its fingerprint, before.": "Que "
        "la clave sea la buena: quien comprueba tiene que haber recibido antes la clave pública, o su huella.",
        "Place and date": "Lugar y fecha",
        "Name and signature": "Nombre y firma",
        "Made by Aduana {version} at {made}.": "Hecho con Aduana {version} el {made}.",
    }
)
