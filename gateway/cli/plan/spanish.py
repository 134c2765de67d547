"""What `aduana plan` says, in Spanish. English sentences are the keys."""

SPANISH = {
    # the table
    "{model}, {size} GB; {tokens} tokens a day, {share} of them in prompts. Money in {currency}. Expected from "
    "data sheets, not measured.": (
        "{model}, {size} GB; {tokens} tokens al día, {share} de ellos en peticiones. Dinero en {currency}. Esperado según "
        "hojas de datos, no medido."
    ),
    "Fits": "Cabe",
    "yes": "sí",
    "no": "no",
    "GB of memory": "GB de memoria",
    "Requests x window": "Peticiones x ventana",
    "Answer tokens/s": "Tokens/s respuesta",
    "Prompt tokens/s": "Tokens/s petición",
    "plausible": "verosímil",
    "roof": "techo",
    "Hours a day": "Horas al día",
    "needs at once": "a la vez",
    "Watts, work / idle": "Vatios activo / reposo",
    "kWh a day": "kWh al día",
    "of them idle": "de ellos en reposo",
    "Electricity a month": "Electricidad al mes",
    "a million tokens": "el millón de tokens",
    "Hardware": "Equipo",
    "Paid back against": "Amortizado frente a",
    "{card}: does not fit.": "{card}: no cabe.",
    "The same tokens in a cloud": "Los mismos tokens en una nube",
    "From": "De",
    "A million": "El millón",
    "A month": "Al mes",
    "not known": "no se sabe",
    "Cards as of {date}.": "Tarjetas a {date}.",
    "Prices from {date} or later, nothing cached.": "Precios del {date} o posteriores, sin caché.",
    "A model here does not answer as well as every model there; only the same name is the same model. "
    "docs/plan.md says where each figure is from.": (
        "Un modelo de aquí no responde tan bien como cualquiera de allí; solo el mismo nombre es el mismo modelo. "
        "docs/plan.md dice de dónde sale cada cifra."
    ),
    "Name your price of a kilowatt-hour (--tariff 0.15) to see what electricity costs.": (
        "Indica lo que pagas por kilovatio hora (--tariff 0.15) para ver lo que cuesta la electricidad."
    ),
    # words
    "never": "nunca",
    "over 100 years": "más de 100 años",
    "{count} years": "{count} años",
    "{count} months": "{count} meses",
    "1 month": "1 mes",
    "Turn down --context or --slots.": "Baja --context o --slots.",
    "It fits with --kv q8_0, which halves the KV cache.": "Cabe con --kv q8_0, que reduce la caché KV a la mitad.",
    "It wants a card with more memory.": "Pide una tarjeta con más memoria.",
    "A quantisation of at most {size} GB would fit.": "Cabría una cuantización de {size} GB como mucho.",
    "A quantisation of at most {size} GB would fit, or 'gpu_layers: {layers}' of {of}: the rest stays in RAM, "
    "and it is several times slower.": (
        "Cabría una cuantización de {size} GB como mucho, o 'gpu_layers: {layers}' de {of}: el resto queda en la RAM y va "
        "varias veces más lento."
    ),
    # the picture
    "{model}: {count} million tokens a day": "{model}: {count} millones de tokens al día",
    "Expected from data sheets of {date}, not measured: aduana plan": (
        "Esperado según hojas de datos a {date}, no medido: aduana plan"
    ),
    "Answer tokens a second, one request at a time": "Tokens de respuesta por segundo, una petición cada vez",
    "does not fit ({size} GB)": "no cabe ({size} GB)",
    "Paid after so many months ({currency})": "Pagado al cabo de tantos meses ({currency})",
    "The picture is in {file}.": "La imagen está en {file}.",
    # the lists
    "Memory": "Memoria",
    "Bandwidth": "Ancho de banda",
    "Power": "Potencia",
    "Size": "Tamaño",
    "Read for a token": "Se lee por token",
    "As their makers state, {date}. A path to any GGUF file can be named too.": (
        "Según sus fabricantes, a {date}. También vale la ruta de cualquier fichero GGUF."
    ),
    # faults
    "{file} can't be written: {why}.": "{file} no se puede escribir: {why}.",
    "--prompt-share is no share. Write a number between 0 and 1, as 0.75.": (
        "--prompt-share no es una parte. Escribe un número entre 0 y 1, como 0.75."
    ),
    "--hours-on is not possible. A day has 24 hours.": "--hours-on no es posible. Un día tiene 24 horas.",
    "--tariff is no price. Write the price of a kilowatt-hour, as 0.15.": (
        "--tariff no es un precio. Escribe el precio de un kilovatio hora, como 0.15."
    ),
    "{option} is not possible. Write a number above 0.": "{option} no es posible. Escribe un número mayor que 0.",
    "{option} is not a number of tokens. Write 500k, 2M or 2000000.": (
        "{option} no es un número de tokens. Escribe 500k, 2M o 2000000."
    ),
    "The card {name} is not in the list.{hint} 'aduana plan --list' shows all.": (
        "La tarjeta {name} no está en la lista.{hint} 'aduana plan --list' las enseña todas."
    ),
    "No card of this machine is in the list. Name one: --gpu rtx-4090 ('--list' shows all).": (
        "Ninguna tarjeta de esta máquina está en la lista. Indica una: --gpu rtx-4090 ('--list' las enseña todas)."
    ),
    "--hardware can't be used. Write one price, as 3000, or one for each card: 800,3000.": (
        "--hardware no se entiende. Escribe un precio, como 3000, o uno por tarjeta: 800,3000."
    ),
    "--usd-rate is not possible. Write what a US dollar is in {currency}, as 0.86.": (
        "--usd-rate no es posible. Escribe cuánto es un dólar en {currency}, como 0.86."
    ),
    "Prices of clouds are in US dollars. Say what one is in {currency}: --usd-rate 0.86": (
        "Los precios de las nubes están en dólares. Di cuánto es uno en {currency}: --usd-rate 0.86"
    ),
    "There is no model {name}, neither in {directory} nor in the list.{hint} 'aduana plan --list' shows the "
    "list; a path to a GGUF file works as well.": (
        "No hay ningún modelo {name}, ni en {directory} ni en la lista.{hint} 'aduana plan --list' enseña la lista; "
        "también vale la ruta de un fichero GGUF."
    ),
}
