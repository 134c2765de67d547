"""How `aduana engine` prints: whole words on narrow terminals, whole lines to programs."""

from gateway.cli.lines import print_line


def say(text: str, *, whole: bool = False) -> None:
    """Print lines, broken between words where a terminal is narrow. `whole`: a command, which stays one line."""
    if whole:
        print(text, flush=True)
    else:
        print_line(text)
