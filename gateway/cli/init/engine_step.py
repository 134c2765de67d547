"""The step of the wizard for a machine that has nothing to answer with: no engine, and no server that runs."""

from collections.abc import Callable

from gateway.cli.init.findings import Findings
from gateway.cli.init.questions import Answers
from gateway.core.errors import AduanaError
from gateway.core.translation import Translator


def with_engine(
    found: Findings, install: Callable[[], int] | None, look: Callable[[], Findings], answers: Answers, tell: Translator
) -> Findings:
    """Return what there is, after the engine was installed where it is needed and somebody wants it.

    Args:
        found: What there is now.
        install: Installs the engine and returns 0 where that worked; None: nobody is asked.
        look: Looks at this machine again.
        answers: Whoever answers.
        tell: Their language.

    Raises:
        AduanaError: There is still nothing to answer with.
    """
    served = any(candidate.kind == "server" for candidate in found.candidates)
    if not found.engine and not served and install is not None:
        question = tell("No server runs here. Install the engine now ('aduana engine install', which downloads it)?")
        if answers.whether(question, default=True) and install() == 0:
            found = look()
    if not found.candidates:
        raise AduanaError(
            tell(
                "There is nothing to answer with yet: no server runs here, and no model was found. Run 'aduana engine "
                "install' (the engine, and a small model to try) and 'aduana models pull', or start a server such as "
                "Ollama. Then run 'aduana init' again. Nothing was written."
            )
        )
    return found
