#!/usr/bin/env python3
"""A stand-in for the program espeak-ng: it writes what it was asked for in place of a voice's sound.

A text that has `wait` in it is spoken for ever; one with `fail` ends with an error behind its first bytes.
"""

import sys
import time
import wave

VOICES = """Pty Language       Age/Gender VoiceName          File                 Other Languages
 5  en              --/M      English_(Great_Britain) gmw/en               (en 2)
 5  es              --/M      Spanish_(Spain)    roa/es
"""


def main() -> int:
    """Do what the arguments say."""
    if "--voices" in sys.argv:
        sys.stdout.write(VOICES)
        return 0
    voice, pace = sys.argv[sys.argv.index("-v") + 1], sys.argv[sys.argv.index("-s") + 1]
    text = sys.stdin.buffer.read()
    with wave.open(sys.stdout.buffer, "wb") as file:
        file.setparams((1, 2, 22_050, 0x3FFF_F000, "NONE", ""))
        said = f"{voice} {pace} ".encode() + text
        file.writeframesraw(said + bytes(len(said) % 2))
        file._file.flush()  # type: ignore[attr-defined]
        if b"wait" in text:
            time.sleep(600)
        sys.stdout.buffer.flush()
        if b"fail" in text:
            return 1
        file._patchheader = lambda: None  # type: ignore[attr-defined]
    return 0


if __name__ == "__main__":
    sys.exit(main())
