"""Where somebody lives is found in seven languages; streets of history, of shops and of exercises are nobody's."""

# ruff: noqa: E501 - a table is read by its rows

import pytest

from gateway.privacy import Inspector

ADDRESSES = (
    "Vivo en Gran Vía 45, 3º B, Madrid.", "Mándalo a Calle Serrano 12, 28001 Madrid", "Mi dirección es Av. Insurgentes Sur 1602, Col. Crédito Constructor, CDMX", "Entrega en Calle 72 # 10-34, Bogotá", "Cra. 7 No. 71-21, apto 502, Bogotá", "Domicilio: Av. Corrientes 1234, piso 5, dpto B, CABA", "Soy de Jr. de la Unión 450, Lima", "Enviar a C/ Mayor, 5, Alcalá de Henares", "El paquete va a Paseo de la Castellana 200, Madrid", "Plaza España 7, 1º izda, Zaragoza",
    "I live at 42 Elm Street, Springfield.", "Ship it to 1600 Pennsylvania Avenue NW, Washington, DC 20500", "My address is Flat 3, 21 Baker Street, London NW1 6XE", "Send it to 7 Victoria Road, Leeds", "deliver to 15 Collins St, Melbourne VIC 3000", "Home: 88 King St W, Toronto, ON M5X 1A9", "she lives at 12 O'Connell Street, Dublin",
    "Moro na Rua das Flores, 123, Lisboa", "Entregar na Av. Paulista, 1578, apto 42, São Paulo", "O meu endereço é Rua Augusta 45, 3º esq., 1100-048 Lisboa", "Rua Sete de Setembro 88, Rio de Janeiro - RJ, 20050-006", "Morada: Travessa do Carmo 4, 2.º Dto, Porto",
    "J'habite au 12 rue de la Paix, 75002 Paris.", "Mon adresse : 5 bis avenue Victor-Hugo, Lyon", "Livrer à : 27, boulevard Saint-Michel, 75005 Paris", "Adresse de livraison : 3 place Bellecour, 69002 Lyon", "elle habite 14 impasse des Lilas à Nantes", "Nous habitons chemin des Vignes 8, 1009 Pully",
    "Ich wohne in der Hauptstraße 12, 10115 Berlin.", "Meine Adresse ist Goethestr. 5, München", "Bitte liefern an: Lange Gasse 17/4, 1080 Wien", "Anschrift: Am Markt 3, 04109 Leipzig", "Er wohnt Bahnhofstrasse 22, 8001 Zürich", "Lieferadresse: Karl-Marx-Allee 90a, 10243 Berlin",
    "Abito in via Roma 15, Milano.", "Il mio indirizzo è Via Giuseppe Garibaldi, 8, 20121 Milano", "Spedire a: Piazza Duomo 3, 50122 Firenze (FI)", "Residente in corso Vittorio Emanuele II 44, Torino", "Consegna in viale Europa 101 int. 6, Roma",
    "Visc al carrer Balmes 120, 2n 1a, Barcelona.", "La meva adreça és Av. Diagonal 450, Barcelona", "Enviar a C. Gran de Gràcia, 15, 08012 Barcelona", "Domicili: passeig de Gràcia 92, Barcelona", "Viu a la plaça Major 4, Vic",
    "Ik woon op Kerkstraat 12, 1017 GC Amsterdam", "Mijn adres is Dorpsstraat 5, Utrecht",
    "domicilié 12 rue des Lilas", "réside au 12 rue des Lilas", "Logé 12 rue des Lilas", "12 ter rue des Lilas, Toulouse", "8 ter boulevard Gambetta, Nice",
    "12 quater avenue Foch, 69006 Lyon", "J'habite 12 TER rue des Lilas", "Vivo en Gran Vía, 20", "envíalo a Gran Vía,20", "VIVO EN GRAN VÍA, 20", "Gran Vía 20, Madrid",
    "vivo en C/Serrano 12", "vivo en la Castellana 120", "Calle Mayor 12 bis, Madrid", "Domiciliat al carrer Balmes 120", "domiciliato in via Roma 12",
    "gemeldet in der Hauptstraße 5", "woonachtig Kerkstraat 12",
)  # fmt: skip
NOBODYS = (
    "Calle Mayor es una calle de Madrid que mide 600 metros.", "La Gran Vía cumplió 100 años en 2010.", "Avenida de América tiene 3 líneas de metro.", "What is at 10 Downing Street?",
    "221B Baker Street is where Holmes lived.", "The Wall Street crash of 1929", "Route 66, Chicago", "La rue de Rivoli fait 3 km à Paris.",
    "Boulevard Saint-Germain, 1968 : les étudiants", "place 3 sur le podium à Lyon", "La via Emilia è del 187 a.C.", "via 15 messaggi, Roma ha risposto",
    "corso 101 di matematica, Torino", "Der Weg 3 führt nach Berlin.", "Am Markt 2024, Leipzig wächst", "Platz 1, Bayern München",
    "In der Tabelle 12, Berlin führt", "Rua Augusta tem 3 quilómetros, São Paulo", "Praça do Comércio, 1755: terramoto", "carrer de 12 metres, Barcelona",
    "El camino 3 a Roma", "Plaza 24 de la oposición, Madrid", "Paseo 10 km al día por Madrid.", "I drive 5 Main Road cars",
    "the first 100 Court cases", "Carretera N-340, km 12", "Einbahnstraße 50 km/h, Berlin", "La plaça 3 del concurs, Girona",
    "Ronda 2, Partido 3, Madrid", "Sesame Street, season 12, New York", "avenue 5 of the plan", "Describe la Plaza Mayor 400 años después, Madrid",
    "The shop at 5th Avenue sells 12 items.", "Via Lattea, 100 miliardi di stelle", "Museo del Prado: Paseo del Prado, 1819", "Cours 12, rue 3: exercice",
    "Die Straße 2024, Roman", "Residente en España desde 2010",
    "El Museo del Prado está en Paseo del Prado 23, Madrid.", "Le musée est au 99 rue de Rivoli, 75001 Paris.", "Hotel Adlon, Unter den Linden 77, 10117 Berlin",
    "Plaza Roja, 1917, Moscú", "I have lived in 3 cities and 12 streets", "Send 12 new drives to the court", "La Gran Vía, 1910", "the museum at Gran Vía 20, Madrid", "Diagonal 3, Partido 2, Madrid", "Mi dirección de memoria es 0x7fff1234",
)  # fmt: skip


def kinds(inspector: Inspector, text: str) -> set[str]:
    """Return the categories that are found."""
    return {finding.category for finding in inspector.inspect({"prompt": text}).findings}


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_of_somebody_is_found(inspector: Inspector, text: str) -> None:
    """A word for living or sending, or a number, a postal code and a town."""
    assert "contact.address" in kinds(inspector, text)


@pytest.mark.parametrize("text", NOBODYS)
def test_a_street_alone_is_nobodys(inspector: Inspector, text: str) -> None:
    """Over-blocking is a fault as well."""
    assert "contact.address" not in kinds(inspector, text)


@pytest.mark.parametrize("text", ADDRESSES)
def test_with_and_without_hyperscan_the_address_is_found(plain_inspector: Inspector, text: str) -> None:
    """The fast pass only proposes."""
    assert "contact.address" in kinds(plain_inspector, text)
