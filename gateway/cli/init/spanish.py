"""What the wizard says, in Spanish."""

SPANISH = {
    # Who uses it
    "Home": "Casa",
    "Answers at home. Only what you mark as public may leave.": (
        "Se responde en casa. Solo puede salir lo que marques como público."
    ),
    "never leaves, whatever it looks like": "nunca sale, parezca lo que parezca",
    "may leave, if nothing personal is found in it": "puede salir si no se encuentra nada personal",
    "Developer": "Programación",
    "Code and secrets stay. Questions about public libraries may leave.": (
        "El código y los secretos se quedan. Pueden salir las preguntas sobre bibliotecas públicas."
    ),
    "for editors and agents: never leaves": "para editores y agentes: nunca sale",
    "questions about public libraries: may leave": "preguntas sobre bibliotecas públicas: pueden salir",
    "Clinic or practice": "Clínica o consulta",
    "Patients' data never leaves. What nobody marked counts as theirs.": (
        "Los datos de pacientes nunca salen. Lo que nadie ha marcado cuenta como suyo."
    ),
    "about patients: never leaves": "sobre pacientes: nunca sale",
    "general questions: stay at home too": "preguntas generales: también se quedan en casa",
    "Law firm": "Despacho de abogados",
    "Matters never leave. Research on published law may.": (
        "Los asuntos nunca salen. Puede salir la consulta de leyes publicadas."
    ),
    "a client's matter: never leaves": "el asunto de un cliente: nunca sale",
    "published law: may leave, if nobody is named in it": "leyes publicadas: puede salir si no se nombra a nadie",
    "Family": "Familia",
    "Children's requests never leave, and end at bedtime.": (
        "Lo que preguntan los niños nunca sale, y se acaba a la hora de dormir."
    ),
    "for children's devices: never leaves, ends at bedtime": (
        "para los aparatos de los niños: nunca sale, se acaba a la hora de dormir"
    ),
    # Questions
    "Aduana: first set-up": "Aduana: primera puesta en marcha",
    "Folder for aduana.yaml and the policy": "Carpeta para aduana.yaml y la política",
    "Who uses it?": "¿Quién lo va a usar?",
    "Which model answers at home? The first one is asked first.": (
        "¿Qué modelo responde en casa? Al primero se le pregunta primero."
    ),
    "{server}, running": "{server}, en marcha",
    "the starter model, small: to try everything": "el modelo inicial, pequeño: para probarlo todo",
    "model directory": "carpeta de modelos",
    "too large for the card": "no cabe en la tarjeta",
    "too large for the memory": "no cabe en la memoria",
    "{variable} is set. May public requests go to {cloud}?": (
        "{variable} está definida. ¿Pueden ir a {cloud} las peticiones públicas?"
    ),
    "Start it now and whenever you log in, as a service of systemd?": (
        "¿Ponerlo en marcha ahora y cada vez que inicies sesión, como servicio de systemd?"
    ),
    "Number": "Número",
    "Number, or several of them": "Número, o varios",
    "Y/n": "S/n",
    "y/N": "s/N",
    "Please answer yes or no.": "Responde sí o no, por favor.",
    "Please type a number from 1 to {count}.": "Escribe un número del 1 al {count}, por favor.",
    "Stopped. Nothing was written.": "Interrumpido. No se ha escrito nada.",
    "Shall other devices on your network use it too?": "¿Lo van a usar también otros aparatos de tu red?",
    # What was found
    "Graphics card": "Tarjeta gráfica",
    "none found; the processor computes": "ninguna; calcula el procesador",
    "its driver does not answer": "su controlador no responde",
    "Memory": "Memoria",
    "unknown": "desconocida",
    "Engine (llama.cpp)": "Motor (llama.cpp)",
    "installed": "instalado",
    "not installed: 'aduana engine install' does that": "no instalado: se instala con 'aduana engine install'",
    "Running servers": "Servidores en marcha",
    "{name} at {url}, models: {count}": "{name} en {url}, modelos: {count}",
    "none on the usual ports": "ninguno en los puertos habituales",
    "Model files": "Archivos de modelos",
    "Port": "Puerto",
    "{usual} is taken, so {port}": "{usual} está ocupado, así que {port}",
    "Cloud keys": "Claves de nubes",
    "{names} (only the names were read)": "{names} (solo se han leído los nombres)",
    "none": "ninguna",
    "No server runs here. Install the engine now ('aduana engine install', which downloads it)?": (
        "Aquí no hay ningún servidor en marcha. ¿Instalar ahora el motor ('aduana engine install', que lo descarga)?"
    ),
    "There is nothing to answer with yet: no server runs here, and no model was found. Run 'aduana engine install' (the "
    "engine, and a small model to try) and 'aduana models pull', or start a server such as Ollama. Then run "
    "'aduana init' again. Nothing was written.": (
        "Todavía no hay con qué responder: no hay ningún servidor en marcha ni se ha encontrado ningún modelo. Ejecuta "
        "'aduana engine install' (el motor, y un modelo pequeño para probar) y 'aduana models pull', o arranca un "
        "servidor como Ollama. Después ejecuta 'aduana init' otra vez. No se ha escrito nada."
    ),
    # The file
    "Aduana's configuration, written by 'aduana init'. It is yours to change. 'aduana check' then says whether it is "
    "right; 'aduana schema config' prints what may stand here, for editors.": (
        "Configuración de Aduana, escrita por 'aduana init'. Puedes cambiarla como quieras: 'aduana check' dice "
        "después si es correcta, y 'aduana schema config' imprime lo que puede ir aquí, para editores."
    ),
    "Where apps find the gateway. 127.0.0.1 is this machine alone; for other devices see 'keys'.": (
        "Dónde encuentran las aplicaciones la pasarela. 127.0.0.1 es solo esta máquina; para otros aparatos, "
        "mira 'keys'."
    ),
    "Where apps find the gateway: on every network of this machine, by these names of it.": (
        "Dónde encuentran las aplicaciones la pasarela: en todas las redes de esta máquina, por estos nombres suyos."
    ),
    "A key for each kind of device. Their secrets stand in files that only you can read; what is written into such a "
    "file counts at once.": (
        "Una clave para cada clase de aparato. Sus secretos están en archivos que solo tú puedes leer; lo que se escribe "
        "en un archivo así cuenta enseguida."
    ),
    "The ledger, models and keys of the gateway itself.": (
        "El libro de cuentas, los modelos y las claves de la propia pasarela."
    ),
    "Where requests may go. Read it, change it, and let 'aduana check' prove it again.": (
        "Adónde pueden ir las peticiones. Léela, cámbiala y deja que 'aduana check' la demuestre de nuevo."
    ),
    "{server}, which runs on this machine.": "{server}, en marcha en esta máquina.",
    "The starter model: small, to see everything work. Put a GGUF file of your own in its place when you like; "
    "'aduana models pull' can fetch one.": (
        "El modelo inicial: pequeño, para verlo todo funcionar. Cuando quieras, pon en su lugar un archivo GGUF "
        "tuyo; 'aduana models pull' puede traer uno."
    ),
    "{model}, a file of {program} that is used where it lies. The gateway runs it itself.": (
        "{model}, un archivo de {program} que se usa donde está. Lo ejecuta la propia pasarela."
    ),
    "{model}, a file that the gateway runs itself.": "{model}, un archivo que ejecuta la propia pasarela.",
    "{cloud}. It never gets more than its ceiling: 'public' or 'internal'.": (
        "{cloud}. Nunca recibe más que su techo (ceiling): 'public' o 'internal'."
    ),
    "{variable} is set. To let public requests leave, uncomment this.": (
        "{variable} está definida. Para que puedan salir las peticiones públicas, quita las almohadillas."
    ),
    "Model names for apps. 'auto' is what they should ask for; the others bring a tag along, at which the policy "
    "looks. A name that is not here is answered as 'auto'.": (
        "Nombres de modelo para las aplicaciones. Lo normal es pedir 'auto'; los demás traen una etiqueta, que la "
        "política mira. Un nombre que no está aquí se responde como 'auto'."
    ),
    "For other devices on your network: a key for each of them, and above 'host: 0.0.0.0' with this machine's name in "
    "'allowed_hosts: []'. A key's secret stands in a file that only you can read, or in a variable; "
    "'openssl rand -hex 32' makes one.": (
        "Para otros aparatos de tu red: una clave para cada uno y, arriba, 'host: 0.0.0.0' con el nombre de esta "
        "máquina en 'allowed_hosts: []'. El secreto de una clave va en un archivo que solo tú puedas leer, o en una "
        "variable; 'openssl rand -hex 32' crea uno."
    ),
    # Writing
    "{names}: there already, and 'aduana init' overwrites nothing. Nothing was written. Change the file by hand and "
    "run 'aduana check', or move it away, or choose another folder with --directory.": (
        "{names}: ya existe, y 'aduana init' no sobrescribe nada. No se ha escrito nada. Cambia el archivo a mano y "
        "ejecuta 'aduana check', o muévelo, o elige otra carpeta con --directory."
    ),
    "{folder} can't be written to: {reason}.": "No se puede escribir en {folder}: {reason}.",
    "Written: {file}": "Escrito: {file}",
    "Now 'aduana check' reads them and proves the policy (the first time that takes half a minute):": (
        "Ahora 'aduana check' los lee y demuestra la política (la primera vez tarda medio minuto):"
    ),
    "The check failed. Correct what it says, then run 'aduana check' again.": (
        "La comprobación ha fallado. Corrige lo que dice y ejecuta 'aduana check' de nuevo."
    ),
    "--cloud {name} is not known here. There are: {names}.": "--cloud {name} no se conoce aquí. Hay: {names}.",
    "--cloud {name}: the variable {variable} is not set.": "--cloud {name}: la variable {variable} no está definida.",
    # Service
    "A service of the whole machine needs root: sudo aduana init --service system": (
        "Un servicio de toda la máquina necesita root: sudo aduana init --service system"
    ),
    "The service of the whole machine talks to this machine alone. Set it up without a cloud and other devices; the "
    "handbook says how to open it ('aduana files deploy' copies it).": (
        "El servicio de toda la máquina solo habla con ella. Configúralo sin nube ni otros aparatos; el manual dice "
        "cómo abrirlo ('aduana files deploy' lo copia)."
    ),
    "{path} is there already, and another one. Move it away, then try again.": (
        "{path} ya existe, y es otro. Muévelo y prueba de nuevo."
    ),
    "A service of the whole machine can't see {paths}: homes are hidden from it. Put it below /opt or /var/lib/aduana, "
    "or use --service user.": (
        "Un servicio de toda la máquina no puede ver {paths}: las carpetas personales le están ocultas. Ponlo en /opt "
        "o en /var/lib/aduana, o usa --service user."
    ),
    "it does not answer yet": "todavía no responde",
    "The service did not start:": "El servicio no ha arrancado:",
    "What it says:  {command}": "Lo que dice:  {command}",
    "The service runs. What it says:  {command}": "El servicio está en marcha. Lo que dice:  {command}",
    "It ends when you log out; to keep it:  {command}": "Termina al cerrar la sesión; para mantenerlo:  {command}",
    "The service is installed. It does not see this terminal's variables, so first put the keys into a file that only "
    "you can read:": (
        "El servicio está instalado. No ve las variables de este terminal, así que primero pon las claves en un "
        "archivo que solo tú puedas leer:"
    ),
    "Then start it:": "Después, arráncalo:",
    "There is no systemd for you here, so no service. Whatever starts your programs can run this:": (
        "Aquí no hay un systemd para ti, así que no hay servicio. Lo que arranque tus programas puede ejecutar esto:"
    ),
    "No service yet: it would have no engine.": "Todavía sin servicio: le faltaría el motor.",
    # What next
    "First install the engine:  {command}": "Primero instala el motor:  {command}",
    "Start it:  {command}": "Arráncalo:  {command}",
    "What to put into your apps": "Qué poner en tus aplicaciones",
    "Base URL": "URL base",
    "of Anthropic's and Ollama's apps": "la de apps de Anthropic y Ollama",
    "API key": "Clave (API key)",
    "any word: this machine needs none": "cualquier palabra: esta máquina no pide ninguna",
    "Model": "Modelo",
    "a file's content in {folder}: {names}": "lo que dice un archivo de {folder}: {names}",
    "What travels on your network can be read there. Where others share it, use TLS.": (
        "Lo que viaja por tu red se puede leer en ella. Si otros la comparten, usa TLS."
    ),
    "Status page": "Página de estado",
    "The starter model is only for trying: 'aduana models pull' lists better ones for your card.": (
        "El modelo inicial es solo para probar: 'aduana models pull' muestra otros mejores para tu tarjeta."
    ),
    "'aduana connect' lists the apps that it can set up for you.": (
        "'aduana connect' muestra las aplicaciones que puede configurar por ti."
    ),
}
