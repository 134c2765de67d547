"""What is kept of a server's output: its last words before it is ready, and nothing from then on."""

from gateway.local.managed.output import ServerOutput


def test_the_last_lines_before_it_is_ready_are_kept() -> None:
    """Also those that end without a line's end, and progress bars."""
    output = ServerOutput("s3cret")
    output.feed(b"one\ntw")
    output.feed(b"o\r\n10 %\r20 %\r\n\nlast words \x1b[31m")
    assert output.last() == "one | two | 10 % | 20 % | last words  [31m"
    assert output.lines == 5


def test_no_more_than_a_few_short_lines_are_kept() -> None:
    """A server that prints without an end costs no memory."""
    output = ServerOutput("s3cret")
    for number in range(100):
        output.feed(b"x" * 10_000 + b"%d\n" % number)
    assert output.last() == " | ".join(["x" * 200] * 8)
    output.feed(b"y" * 1_000_000)
    assert len(output.last()) < 2000


def test_its_key_is_never_kept() -> None:
    """Servers that print their options print their key."""
    output = ServerOutput("s3cret")
    output.feed(b"api key: s3cret\n")
    assert output.last() == "api key: …"


def test_nothing_is_kept_once_it_is_ready() -> None:
    """It may quote a request then: lines are only counted."""
    output = ServerOutput("s3cret")
    output.feed(b"loading\nready")
    output.ready()
    output.feed(b"prompt: the secret of Ana\n")
    assert output.last() == ""
    assert output.lines == 2
