"""What `aduana connect` says, in Spanish. English sentences are the keys."""

SPANISH = {
    # what is told
    "speaks": "habla",
    "In the environment of the app": "En el entorno de la aplicación",
    "In a terminal": "En una terminal",
    "Write it": "Escribirlo",
    "Try it": "Probarlo",
    "Start it": "Arrancarla",
    "Try it: {command}": "Probarlo: {command}",
    "says what to set": "dice qué poner",
    "writes it": "lo escribe",
    "starts it": "la arranca",
    "What to set in one of them: aduana connect APP. More is in docs/apps/README.md.": (
        "Qué poner en una de ellas: aduana connect APP. Hay más en docs/apps/README.md."
    ),
    "From another machine or a container, 127.0.0.1 is that machine itself: let the gateway listen on your "
    "network (server: host, keys, allowed_hosts), and say its address with --url. docs/apps/README.md tells how.": (
        "Desde otra máquina o un contenedor, 127.0.0.1 es esa misma máquina: haz que la pasarela escuche en tu "
        "red (server: host, keys, allowed_hosts) e indica su dirección con --url. docs/apps/README.md explica "
        "cómo."
    ),
    "The model's window is not written down: {window} tokens are assumed. --window says another.": (
        "La ventana del modelo no consta en ningún sitio: se suponen {window} tokens. --window indica otra."
    ),
    "There is no aduana.yaml here: these are defaults. --config names one, --url another gateway.": (
        "Aquí no hay ningún aduana.yaml: son los valores por defecto. --config indica uno, --url otra pasarela."
    ),
    # the key
    "No key: if the gateway wants one, name the variable that holds it with --key-env.": (
        "Sin clave: si la pasarela quiere una, indica con --key-env la variable que la contiene."
    ),
    "The variable {name} is not set in this shell.": "La variable {name} no está definida en esta terminal.",
    "The key {name} is an administrator's: better give the app one of its own.": (
        "La clave {name} es de administrador: mejor da a la aplicación una propia."
    ),
    "The key {name} can't be read here ({place}), and the gateway itself keeps nothing of it but a digest.": (
        "La clave {name} no se puede leer aquí ({place}), y la pasarela solo guarda de ella un resumen (digest)."
    ),
    "Set it, or name a variable that holds it with --key-env.": (
        "Defínela, o indica con --key-env una variable que la contenga."
    ),
    "The key is not in the file: the app reads it from the variable {name}.": (
        "La clave no está en el archivo: la aplicación la lee de la variable {name}."
    ),
    # writing and taking back
    "{path} is written.": "{path} está escrito.",
    "{path} has these settings already.": "{path} ya tiene estos ajustes.",
    "As it was before, it is in {path}.": "Tal como estaba antes, queda en {path}.",
    "Only you can read it now, for there is a key in it.": "Ahora solo tú puedes leerlo, porque contiene una clave.",
    "{path} says otherwise:": "{path} dice otra cosa:",
    "(a section)": "(una sección)",
    "(another key)": "(otra clave)",
    "(this key)": "(esta clave)",
    "Nothing was written. --replace writes it all the same; --undo brings these values back.": (
        "No se ha escrito nada. --replace lo escribe de todos modos; --undo devuelve estos valores."
    ),
    "{path} is gone, as it was not there before.": "{path} ya no está, pues antes no existía.",
    "{path} is again as it was before.": "{path} vuelve a estar como antes.",
    "{path} has been changed since. What was ours is out of it again.": (
        "{path} ha cambiado desde entonces. Lo nuestro ya no está en él."
    ),
    "Somebody has changed these since, and they stay: {names}.": (
        "Alguien ha cambiado estos valores desde entonces, y se quedan: {names}."
    ),
    "Nothing was written for {app} here.": "Aquí no se escribió nada para {app}.",
    # trying
    "note": "nota",
    "good": "bien",
    "bad": "mal",
    "{path} has these settings.": "{path} tiene estos ajustes.",
    "{path} does not have these settings (--write).": "{path} no tiene estos ajustes (--write).",
    "The gateway at {url} answers, and takes the key.": "La pasarela en {url} responde y acepta la clave.",
    "It has {count} models for pictures.": "Tiene {count} modelos para imágenes.",
    "No model is listed as {model}; there are: {names}.": "Ningún modelo figura como {model}; hay: {names}.",
    "The window is {window} tokens; the app is told {other}.": (
        "La ventana es de {window} tokens; a la aplicación se le dicen {other}."
    ),
    "{call} answered in {seconds} s: target {target}, zone {zone}, label {label}.": (
        "{call} respondió en {seconds} s: destino {target}, zona {zone}, nivel {label}."
    ),
    "No gateway answers at {url}: {reason}. Is it running?": (
        "Ninguna pasarela responde en {url}: {reason}. ¿Está en marcha?"
    ),
    "the gateway answered with status {status}.": "la pasarela respondió con el estado {status}.",
    # starting
    "{path} says otherwise, and may win: {names}.": "{path} dice otra cosa y puede prevalecer: {names}.",
    "{app} takes no settings from its environment.": "{app} no toma ajustes de su entorno.",
    "Which command starts {app}? Write it behind '--'.": "¿Qué comando arranca {app}? Escríbelo detrás de '--'.",
    "{name} can't be started: {reason}. Is it installed?": "No se puede arrancar {name}: {reason}. ¿Está instalado?",
    # what can't be done
    "The app {name} is not known here. 'aduana connect' lists those that are.": (
        "Aquí no se conoce la aplicación {name}. 'aduana connect' muestra las que hay."
    ),
    "Did you mean {names}?": "¿Querías decir {names}?",
    "Which app? 'aduana connect' lists them.": "¿Qué aplicación? 'aduana connect' las muestra.",
    "{app} has no settings file that could be written.": (
        "{app} no tiene ningún archivo de ajustes que se pueda escribir."
    ),
    "The settings of {app} are not in a file that is known here.": (
        "Los ajustes de {app} no están en un archivo que se conozca aquí."
    ),
    "Its file is {name}: say where with --file.": "Su archivo es {name}: indica dónde está con --file.",
    "'aduana connect {name}' prints what to set.": "'aduana connect {name}' muestra qué poner.",
    "--window wants a number of tokens.": "--window quiere un número de tokens.",
    "{url} is not an address. Write http://127.0.0.1:8484.": (
        "{url} no es una dirección. Escribe http://127.0.0.1:8484."
    ),
    "--key-env wants the name of a variable, as ADUANA_KEY, not the key itself.": (
        "--key-env quiere el nombre de una variable, como ADUANA_KEY, no la clave misma."
    ),
    "server.port is 0, so the port is another one at each start: say the address with --url.": (
        "server.port es 0, así que el puerto cambia en cada arranque: indica la dirección con --url."
    ),
    "There is no key {name}. There are: {names}.": "No hay ninguna clave {name}. Hay: {names}.",
    "Which key does {app} get? Say it with --key: {names}. A key of its own, named {app}, is found without "
    "asking; policies and the ledger then tell apps apart.": (
        "¿Qué clave recibe {app}? Dilo con --key: {names}. Una propia, llamada {app}, se encuentra sin "
        "preguntar; así las políticas y el libro de cuentas distinguen las aplicaciones."
    ),
    "No model {name} can be asked for here. There are: {names}.": (
        "Aquí no se puede pedir ningún modelo {name}. Hay: {names}."
    ),
    "This key may ask for no model that there is: see its 'models' in aduana.yaml.": (
        "Esta clave no puede pedir ninguno de los modelos que hay: mira sus 'models' en aduana.yaml."
    ),
    # remarks on apps
    "Pictures need a target that makes them: see docs/pictures.md.": (
        "Las imágenes necesitan un destino que las haga: mira docs/pictures.md."
    ),
    "Small models do better with 'edit-format: whole'.": (
        "Los modelos pequeños se manejan mejor con 'edit-format: whole'."
    ),
    "The model's name stands in the program: write 'auto', or a name under 'models'.": (
        "El nombre del modelo está en el programa: escribe 'auto', o un nombre de 'models'."
    ),
    "The variables are for its container's .env; on its page the same are fields.": (
        "Las variables son para el .env de su contenedor; en su página son los mismos campos."
    ),
    "Its prompts are long: a model at home needs a window of 32768 tokens or more.": (
        "Sus instrucciones son largas: un modelo en casa necesita una ventana de 32768 tokens o más."
    ),
    "With your own key or subscription it is set up another way: see its page.": (
        "Con tu propia clave o suscripción se configura de otra manera: mira su página."
    ),
    "Cline reports to its makers, past the gateway: its page says how to stop most of that.": (
        "Cline informa a sus creadores sin pasar por la pasarela: su página dice cómo evitar la mayor parte."
    ),
    "Codex chooses its tools by the model's name: one that it does not know gets the simplest.": (
        "Codex elige sus herramientas por el nombre del modelo: uno que no conoce recibe las más sencillas."
    ),
    "Completion while you type wants a model that was trained to fill gaps; it was not tried.": (
        "Completar mientras escribes requiere un modelo entrenado para rellenar huecos; no se ha probado."
    ),
    "Cursor sends every request through its makers' servers, also with an address of your own: what you type has "
    "left your house before the gateway sees it, and an address of this machine can't be reached from there.": (
        "Cursor envía cada petición por los servidores de sus creadores, también con una dirección tuya: lo que "
        "escribes ha salido de tu casa antes de que la pasarela lo vea, y desde allí no se alcanza una dirección "
        "de esta máquina."
    ),
    "For data that must stay, use an editor that asks the gateway itself: Zed, or VS Code with Continue.": (
        "Para datos que deben quedarse, usa un editor que pregunte él mismo a la pasarela: Zed, o VS Code con Continue."
    ),
    "The model must see: an embedded target with 'mmproj', or a server at home whose model does.": (
        "El modelo tiene que ver: un destino 'embedded' con 'mmproj', o un servidor en casa cuyo modelo vea."
    ),
    "Its OpenAI integration has no field for an address; its Ollama integration has.": (
        "Su integración de OpenAI no tiene campo para una dirección; la de Ollama sí."
    ),
    "The variable stands in LibreChat's .env. ENDPOINTS=custom,agents there keeps people from choosing a "
    "provider past the gateway.": (
        "La variable va en el .env de LibreChat. ENDPOINTS=custom,agents allí evita que alguien elija un "
        "proveedor sin pasar por la pasarela."
    ),
    "Then: llm -m aduana 'Why is the sky blue?'": "Después: llm -m aduana '¿Por qué es azul el cielo?'",
    "In the node OpenAI Chat Model, choose the model from the list.": (
        "En el nodo OpenAI Chat Model, elige el modelo de la lista."
    ),
    "Nextcloud refuses to call addresses on a local network unless its config.php has "
    "'allow_local_remote_servers' => true.": (
        "Nextcloud se niega a llamar a direcciones de una red local si su config.php no tiene "
        "'allow_local_remote_servers' => true."
    ),
    "Files and mails of everybody go through this one key: give it a tag that keeps them at home.": (
        "Los archivos y correos de todos pasan por esta única clave: dale una etiqueta (tag) que los deje en casa."
    ),
    "Without 'Enable CORS' its page must be allowed: server: {allowed_origins: [\"app://obsidian.md\"]}.": (
        "Sin 'Enable CORS' hay que permitir su página: server: {allowed_origins: [\"app://obsidian.md\"]}."
    ),
    "Ollama's own command sends no key: it needs a gateway that answers without one.": (
        "El comando de Ollama no envía ninguna clave: necesita una pasarela que responda sin ella."
    ),
    "Apps that look for Ollama at port 11434 and nowhere else: server: {ollama_port: 11434}.": (
        "Para aplicaciones que buscan Ollama en el puerto 11434 y en ningún otro: server: {ollama_port: 11434}."
    ),
    "It reads these variables only when it starts for the first time; afterwards what its page says counts: "
    "Admin Panel → Settings → Connections.": (
        "Solo lee estas variables al arrancar por primera vez; después cuenta lo que diga su página: Admin Panel "
        "→ Settings → Connections."
    ),
    "OPENCODE_DISABLE_MODELS_FETCH=1 keeps it from asking models.dev for a list of models.": (
        "Con OPENCODE_DISABLE_MODELS_FETCH=1 no pide a models.dev una lista de modelos."
    ),
    "The two lines with VISION_ and OCR_PROVIDER are for a model that sees; leave them out otherwise.": (
        "Las líneas con VISION_ y OCR_PROVIDER son para un modelo que ve; si no, quítalas."
    ),
    "Scanned letters are bank statements and doctors' letters: give its key a tag that keeps them at home.": (
        "Las cartas escaneadas son extractos del banco e informes médicos: da a su clave una etiqueta (tag) que "
        "las deje en casa."
    ),
    "The key does not belong in that file: Zed takes it from its page of providers, or from ADUANA_API_KEY.": (
        "La clave no va en ese archivo: Zed la toma de su página de proveedores, o de ADUANA_API_KEY."
    ),
    "Suggestions while you type come from Zed's own service unless you turn them off.": (
        "Las sugerencias mientras escribes vienen del propio servicio de Zed, si no las desactivas."
    ),
}
