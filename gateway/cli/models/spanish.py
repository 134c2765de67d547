"""What `aduana models` says when it brings, checks and removes models, in Spanish. English sentences are the keys."""

SPANISH = {
    # before a model comes
    "{page}, revision {revision}": "{page}, revisión {revision}",
    ", in {count} parts": ", en {count} partes",
    "and its projector for pictures or sound, {size} GB (--no-projector)": (
        "y su proyector para imágenes o sonido, {size} GB (--no-projector)"
    ),
    "Licence: {licence}": "Licencia: {licence}",
    "not stated, see its page": "no indicada, véase su página",
    "Made from {base}, whose terms hold as well": "Hecho a partir de {base}, cuyas condiciones también valen",
    "The cards have {size} GB": "Las tarjetas tienen {size} GB",
    "Half of the RAM is {size} GB": "La mitad de la RAM son {size} GB",
    "it fits": "cabe",
    "it does not fit, so it will be slow": "no cabe, así que irá lento",
    # while it comes, and behind it
    "Downloading": "Descargando",
    "Checking": "Comprobando",
    "Reading": "Leyendo",
    "{name} is already in {directory}. 'aduana models verify {name}' reads it through.": (
        "{name} ya está en {directory}. 'aduana models verify {name}' lo lee entero."
    ),
    "The same model is on this machine already ({path}). It was linked, and nothing was downloaded.": (
        "El mismo modelo ya está en esta máquina ({path}). Se ha enlazado y no se ha descargado nada."
    ),
    "{name} is now in {directory}.": "{name} ya está en {directory}.",
    "{name} is linked in {directory}. Nothing was copied.": "{name} está enlazado en {directory}. No se ha copiado nada.",
    "Its file stays where it is: when its own program removes it there, it is gone here too.": (
        "Su fichero sigue donde está: si su programa lo borra allí, aquí también desaparece."
    ),
    "Write into aduana.yaml:": "Escribe en aduana.yaml:",
    "Then 'aduana models fit' says what it needs, and 'aduana serve' starts it.": (
        "Después, 'aduana models fit' dice cuánto necesita y 'aduana serve' lo arranca."
    ),
    # lists
    "Name": "Nombre",
    "Size": "Tamaño",
    "Cards": "Tarjetas",
    "Good for": "Sirve para",
    "Here": "Aquí",
    "In": "En",
    "Called there": "Allí se llama",
    " + projector": " + proyector",
    "fits": "cabe",
    "too large": "no cabe",
    "List of {date}, each with its page in docs/pulling.md.": "Lista del {date}; la página de cada uno, en docs/pulling.md.",
    "There are {size} GB here for a model and its memory of conversations.": (
        "Aquí hay {size} GB para un modelo y su memoria de conversaciones."
    ),
    "Download one: aduana models pull NAME; or any other: aduana models pull ORG/REPOSITORY": (
        "Descargar uno: aduana models pull NOMBRE; o cualquier otro: aduana models pull ORG/REPOSITORIO"
    ),
    "Neither Ollama, LM Studio, Hugging Face's cache nor llama.cpp's cache has a GGUF model here.": (
        "Ni Ollama, ni LM Studio, ni la caché de Hugging Face, ni la de llama.cpp tienen aquí un modelo GGUF."
    ),
    "'aduana models pull' lists models to download.": "'aduana models pull' enseña modelos para descargar.",
    "Link one, without copying it: aduana models import NAME": "Enlazar uno sin copiarlo: aduana models import NOMBRE",
    "6 to 8 GB": "6 a 8 GB",
    "8 to 12 GB": "8 a 12 GB",
    "80 GB and more": "80 GB o más",
    "16 GB": "16 GB",
    "24 GB": "24 GB",
    "32 GB": "32 GB",
    "short answers, labels, a laptop": "respuestas cortas, etiquetas, un portátil",
    "everyday chat, mail, summaries": "conversación diaria, correo, resúmenes",
    "quick reasoning and tools": "razonar deprisa y usar herramientas",
    "code, documents, agents": "código, documentos, agentes",
    "the same, much quicker": "lo mismo, mucho más deprisa",
    "hard reasoning": "razonamientos difíciles",
    # what is here: verify and rm
    "as it came": "tal como llegó",
    "there, with its size; no digest is known for all of it": "está, con su tamaño; no se conoce el resumen de todo",
    "NOT AS IT CAME": "NO ESTÁ COMO LLEGÓ",
    "Bring it anew: 'aduana models rm {name}', then as before.": (
        "Tráelo de nuevo: 'aduana models rm {name}' y después como la primera vez."
    ),
    "{path} points nowhere: {link} is gone.": "{path} no lleva a ninguna parte: {link} ya no está.",
    "{path} is gone.": "{path} ya no está.",
    "{path} has another size than when it came: {detail}.": "{path} no tiene el tamaño con que llegó: {detail}.",
    "{path} has another digest than when it came.": "{path} no tiene el resumen (SHA-256) con que llegó.",
    "{path} can't be read: {detail}.": "{path} no se puede leer: {detail}.",
    "{path} is not the file that was put there. It was left alone.": (
        "{path} no es el fichero que se puso ahí. Se ha dejado como está."
    ),
    "{name}: its links were removed. The other program's files are untouched.": (
        "{name}: se han quitado sus enlaces. Los ficheros del otro programa siguen intactos."
    ),
    "{name}: removed, {size} GB are free again.": "{name}: borrado; vuelven a estar libres {size} GB.",
    "Not pulled or linked by Aduana, so nothing is known to compare them with: {them}": (
        "Ni descargados ni enlazados por Aduana, así que no se sabe con qué compararlos: {them}"
    ),
    "No models in {directory}.": "No hay modelos en {directory}.",
    # faults
    "The environment variable {name} (--token-env) is not set, or is empty.": (
        "La variable de entorno {name} (--token-env) no está puesta o está vacía."
    ),
    "{wanted} is more than one model: {there}. Name the file.": "{wanted} es más de un modelo: {there}. Indica el fichero.",
    "No model {wanted} was found here.{hint} 'aduana models import' lists those that there are.": (
        "Aquí no hay ningún modelo {wanted}.{hint} 'aduana models import' enseña los que hay."
    ),
    "{file} is not a GGUF file, so it was thrown away.": "{file} no es un fichero GGUF, así que se ha descartado.",
    "{need} GB are still to come, and {room} GB are free on the disk of {directory} (1 GB stays free). "
    "Nothing was downloaded. Make room, or name another folder: --models-dir (and 'models_dir' in "
    "aduana.yaml).": (
        "Faltan {need} GB por llegar y en el disco de {directory} hay {room} GB libres (1 GB se deja libre). No se ha "
        "descargado nada. Haz sitio o indica otra carpeta: --models-dir (y 'models_dir' en aduana.yaml)."
    ),
    "What came is not {file}: its digest is {digest}…, and the hub says {stated}…. It was thrown away. Try "
    "again; if it happens twice, something between you and the hub changes files.": (
        "Lo que ha llegado no es {file}: su resumen es {digest}… y Hugging Face dice {stated}…. Se ha descartado. Prueba "
        "otra vez; si pasa dos veces, algo entre tú y Hugging Face cambia los ficheros."
    ),
    "{text} names no model on Hugging Face. Write ORG/REPOSITORY, ORG/REPOSITORY:Q4_K_M, "
    "ORG/REPOSITORY/FILE.gguf or hf://…; 'aduana models pull' without a name lists some.": (
        "{text} no nombra ningún modelo de Hugging Face. Escribe ORG/REPOSITORIO, ORG/REPOSITORIO:Q4_K_M, "
        "ORG/REPOSITORIO/FICHERO.gguf o hf://…; 'aduana models pull' sin nombre enseña algunos."
    ),
    "{repository} has no complete GGUF file. Look for a repository whose name ends in -GGUF.": (
        "{repository} no tiene ningún fichero GGUF completo. Busca un repositorio cuyo nombre acabe en -GGUF."
    ),
    "{wanted} is more than one file. Name one:\n{lines}": "{wanted} es más de un fichero. Indica uno:\n{lines}",
    "{wanted} is not there. There are:\n{lines}": "{wanted} no está. Hay:\n{lines}",
    "{repository}: nothing fits in {size} GB. Name one to have it all the same (its rest stays in RAM, and it is "
    "slow), as {repository}:{quantisation}:\n{lines}": (
        "{repository}: nada cabe en {size} GB. Indica uno para tenerlo de todos modos (el resto queda en la RAM y va "
        "lento), por ejemplo {repository}:{quantisation}:\n{lines}"
    ),
    "Pulling models needs the package huggingface_hub. Run: aduana engine install": (
        "Para descargar modelos hace falta el paquete huggingface_hub. Ejecuta: aduana engine install"
    ),
    "{repository} is given only to people who have accepted its terms. Open {address}/{repository}, "
    "accept them, make a token for reading at {address}/settings/tokens, put it into a variable, and "
    "name that variable: --token-env HF_TOKEN": (
        "{repository} se da solo a quien ha aceptado sus condiciones. Abre {address}/{repository}, acéptalas, crea un "
        "token de lectura en {address}/settings/tokens, ponlo en una variable e indícala: --token-env HF_TOKEN"
    ),
    "{repository} has no such revision. See {address}/{repository}/tree/main.": (
        "{repository} no tiene esa revisión. Mira {address}/{repository}/tree/main."
    ),
    "{file} is not there any more, though {address} lists it. Try later.": (
        "{file} ya no está, aunque {address} lo enumera. Prueba más tarde."
    ),
    "There is no model {repository} at {address}, or it is private. Check the spelling; for a private "
    "one name the variable with your token: --token-env HF_TOKEN": (
        "No hay ningún modelo {repository} en {address}, o es privado. Revisa cómo está escrito; si es privado, indica la "
        "variable con tu token: --token-env HF_TOKEN"
    ),
    "HF_HUB_OFFLINE is set, so nothing is asked of the hub. Unset it to pull models.": (
        "HF_HUB_OFFLINE está puesta, así que no se pregunta nada a Hugging Face. Quítala para descargar modelos."
    ),
    "{repository} can't be the name of a repository. Write ORG/REPOSITORY.": (
        "{repository} no puede ser el nombre de un repositorio. Escribe ORG/REPOSITORIO."
    ),
    "{address} does not give {file} to you. Check the token.": "{address} no te da {file}. Revisa el token.",
    "{address} answered {status} for {file}. Try later.": "{address} ha respondido {status} para {file}. Prueba más tarde.",
    "What was fetched so far is kept; the same command goes on from there.": (
        "Lo descargado hasta ahora se conserva; la misma orden sigue desde ahí."
    ),
    "{file} can't be written: {why}.": "{file} no se puede escribir: {why}.",
    "{address} can't be reached, or broke off, at {file}.": "No se llega a {address}, o se ha cortado, con {file}.",
}
