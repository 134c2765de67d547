"""How far a running request has come: counted by whoever answers it, looked at by whoever shares out energy."""


class Progress:
    """Tokens that one request has processed on its present target, as plain numbers: counting costs a tenth of a µs.

    Counted on the event loop alone; another thread may read, and sees each number as it was a moment ago.
    """

    __slots__ = ("decode", "prefill", "server", "share", "told")

    def __init__(self) -> None:
        self.prefill = 0  # prompt tokens that were computed
        self.decode = 0  # generated tokens
        self.share: float | None = None  # of work that is no text, 0 to 1, as its target says; None: it does not
        self.server = ""  # which of a target's several servers is asked; empty: it has one, or nobody is
        self.told = False  # the target counts them itself; else each piece of the answer is taken for a token
