"""What to write into aduana.yaml for a model that has just come."""

from gateway.cli.models.words import say


def example(name: str, *, projector: bool) -> str:
    """Return the lines to paste, with a sentence before them."""
    head = say("Write into aduana.yaml:")
    lines = ["", head, "", "targets:", "  home:", "    kind: embedded", f"    model: {name}"]
    if projector:
        lines.append(f"    mmproj: mmproj-{name}")
    then = say("Then 'aduana models fit' says what it needs, and 'aduana serve' starts it.")
    return "\n".join([*lines, "", then])
