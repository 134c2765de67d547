"""Settings files are written with a backup and taken back, byte for byte where nobody has changed them since."""

import stat

import pytest

from gateway.cli.connect.app import Connection, Format, Place, SettingsFile
from gateway.cli.connect.settings_files import backup_of, plan, undo, write
from gateway.core.errors import ConfigurationError

TO = Connection(url="http://127.0.0.1:8484", key="sk-1", needs_key=True)
FILE = SettingsFile(format=Format.JSON, values=lambda to: {"env": {"URL": to.url, "KEY": to.key_text}}, holds_key=True)
OPEN = SettingsFile(format=Format.TOML, values=lambda to: {"url": to.url, "a": {"b": True}})


def mode(path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_that_was_not_there_goes_again(tmp_path):
    """With a key in it, it is for its owner alone; undone, neither it nor its folders are left."""
    path = tmp_path / "made" / "for" / "settings.json"
    write(plan(FILE, TO, path))
    assert path.read_text() == '{\n  "env": {\n    "URL": "http://127.0.0.1:8484",\n    "KEY": "sk-1"\n  }\n}\n'
    assert [mode(file) for file in path.parent.iterdir()] == [0o600, 0o600]
    undone = undo(path, FILE.format)
    assert undone is not None
    assert undone.exact
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "before", [b'{"mine": 1}', b'// c\r\n{\r\n  "mine": 1,\r\n}\r\n', b"", b'{"env": {"KEY": "old"}}']
)
def test_a_file_comes_back_byte_for_byte(tmp_path, before):
    """Its bytes and permissions are those of before; the backup was there all the time, and only for its owner."""
    path = tmp_path / "settings.json"
    path.write_bytes(before)
    path.chmod(0o644)
    write(plan(FILE, TO, path))
    assert b"sk-1" in path.read_bytes()
    assert (b"\r\n" in before) == (b"\r\n" in path.read_bytes())
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"") or b"\r\n" not in before
    assert backup_of(path).read_bytes() == before
    assert mode(path) == mode(backup_of(path)) == 0o600
    assert undo(path, FILE.format).exact
    assert path.read_bytes() == before
    assert mode(path) == 0o644
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
    assert undo(path, FILE.format) is None


def test_a_file_without_a_key_keeps_its_permissions(tmp_path):
    """Nothing in it is secret."""
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    path.chmod(0o640)
    write(plan(OPEN, TO, path))
    assert mode(path) == 0o640


def test_what_the_app_has_written_since_stays(tmp_path):
    """Only what is still ours goes; what somebody has changed is named and stays."""
    path = tmp_path / "config.toml"
    path.write_text('# mine\nurl = "old"\n')
    write(plan(OPEN, TO, path))
    text = path.read_text()
    path.write_text(text + '\n[projects."/x"]\ntrust = "yes"\n')
    undone = undo(path, OPEN.format)
    assert not undone.exact
    assert path.read_text() == '# mine\nurl = "old"\n\n[projects."/x"]\ntrust = "yes"\n'

    write(plan(OPEN, TO, path))
    path.write_text(path.read_text().replace("http://127.0.0.1:8484", "http://elsewhere"))
    undone = undo(path, OPEN.format)
    assert undone.kept == ("url",)
    assert 'url = "http://elsewhere"' in path.read_text()
    assert "[a]" not in path.read_text()


def test_other_peoples_values_are_told_and_ours_are_not(tmp_path):
    """A value of somebody else's is foreign once; written again with another address, it is not asked for again."""
    path = tmp_path / "config.toml"
    path.write_text('url = "old"\nmine = 1\n')
    planned = plan(OPEN, TO, path)
    assert [edit.words for edit in planned.foreign] == ["url"]
    write(planned)
    moved = Connection(url="http://192.168.1.10:8484", key="sk-1", needs_key=True)
    planned = plan(OPEN, moved, path)
    assert planned.foreign == ()
    assert not planned.written
    write(planned)
    assert plan(OPEN, moved, path).written
    assert "192.168.1.10" in path.read_text()
    assert undo(path, OPEN.format).exact
    assert path.read_text() == 'url = "old"\nmine = 1\n'


def test_a_link_stays_a_link(tmp_path):
    """Whoever keeps settings in a collection of their own finds them changed there."""
    collection = tmp_path / "dotfiles"
    collection.mkdir()
    (collection / "config.toml").write_text("mine = 1\n")
    link = tmp_path / "config.toml"
    link.symlink_to(collection / "config.toml")
    write(plan(OPEN, TO, link))
    assert link.is_symlink()
    assert "8484" in (collection / "config.toml").read_text()
    assert undo(link, OPEN.format).exact
    assert (collection / "config.toml").read_text() == "mine = 1\n"


def test_a_link_that_leads_to_itself_is_told(tmp_path):
    """Neither writing nor taking back goes round in circles."""
    link = tmp_path / "config.toml"
    link.symlink_to(link)
    with pytest.raises(ConfigurationError, match=r"config\.toml: is a link that leads to itself"):
        plan(OPEN, TO, link)
    with pytest.raises(ConfigurationError, match=r"config\.toml: is a link that leads to itself"):
        undo(link, OPEN.format)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{broken"])
def test_what_can_not_be_read_is_not_touched(tmp_path, content):
    """The file stays as it is, and its path is told."""
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"settings\.json"):
        plan(FILE, TO, path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"HOME": "/home/me"}, "linux", "/home/me/.app/a.json"),
        ({"HOME": "/home/me", "APP_HOME": "/elsewhere"}, "linux", "/elsewhere/in/a.json"),
        ({"HOME": "/Users/me"}, "darwin", "/Users/me/Library/app/a.json"),
    ],
)
def test_a_file_lies_where_the_app_looks(environ, platform, expected):
    """The app's variable counts, then what is usual on the platform."""
    place = Place(folder="~/.app", variable="APP_HOME", inside="in", mac="~/Library/app", names=("a.json", "a.jsonc"))
    assert str(place.path(environ, platform)) == expected


def test_the_file_that_is_there_is_taken(tmp_path):
    """Where an app reads two names, the one that a person has counts."""
    (tmp_path / "a.jsonc").touch()
    place = Place(folder=str(tmp_path), names=("a.json", "a.jsonc"))
    assert place.path({"HOME": "/home/me"}).name == "a.jsonc"
