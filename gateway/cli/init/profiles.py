"""Who uses the gateway: the ready policy of each, and the model names that apps get for it. Pure."""

import msgspec

DEFAULT = "home"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of household or office.

    `aliases`: model names for apps, which bring tags along. `keys`: those of other devices besides the usual ones.
    """

    name: str  # that of its ready policy
    title: str
    about: str
    aliases: tuple[tuple[str, tuple[str, ...], str], ...] = ()  # name, tags, what it is for
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()  # name, tags


PROFILES = (
    Profile(
        name="home",
        title="Home",
        about="Answers at home. Only what you mark as public may leave.",
        aliases=(
            ("private", ("private",), "never leaves, whatever it looks like"),
            ("public", ("public",), "may leave, if nothing personal is found in it"),
        ),
    ),
    Profile(
        name="developer",
        title="Developer",
        about="Code and secrets stay. Questions about public libraries may leave.",
        aliases=(
            ("code", ("code",), "for editors and agents: never leaves"),
            ("docs", ("docs",), "questions about public libraries: may leave"),
        ),
        keys=(("editor", ("code",)),),
    ),
    Profile(
        name="clinic",
        title="Clinic or practice",
        about="Patients' data never leaves. What nobody marked counts as theirs.",
        aliases=(
            ("patient", ("patient",), "about patients: never leaves"),
            ("general", ("general",), "general questions: stay at home too"),
        ),
    ),
    Profile(
        name="law-firm",
        title="Law firm",
        about="Matters never leave. Research on published law may.",
        aliases=(
            ("matter", ("matter",), "a client's matter: never leaves"),
            ("research", ("research",), "published law: may leave, if nobody is named in it"),
        ),
    ),
    Profile(
        name="family",
        title="Family",
        about="Children's requests never leave, and end at bedtime.",
        aliases=(("kids", ("child",), "for children's devices: never leaves, ends at bedtime"),),
        keys=(("kids", ("child",)),),
    ),
)


def profile_of(name: str) -> Profile:
    """Return the profile of this name, which is known."""
    return next(profile for profile in PROFILES if profile.name == name)
