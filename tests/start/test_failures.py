"""What goes wrong at the start, as real processes: one sentence on stderr, a code that is not 0, no traceback."""

import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from service.core import db
from service.core.config import Settings
from tests.start import command
from tests.start.command import ends, environment, without_database
from tests.telephony.ami import Ami


@pytest.fixture
def ami() -> Iterator[Ami]:
    """A switch with a secret that we do not know."""
    switch = Ami(secret="another")
    yield switch
    switch.close()


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody else has."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen()
        yield str(place.getsockname()[1])


@pytest.mark.parametrize("word", ["up", "web", "demo"])
def test_a_taken_port(word: str, taken: str, settings: Settings, database: db.Database, tmp_path: Path) -> None:
    env = without_database(tmp_path) if word == "demo" else environment(settings, tmp_path)
    said = ends([word], env | {"RINGDESK_PORT": taken})
    assert f"Port {taken}" in said and "RINGDESK_PORT" in said
    assert not (tmp_path / "postgresql").exists(), "nothing was started before"


Change = Callable[[Settings], dict[str, str]]


def changed(name: str, **parts: object) -> Change:
    return lambda settings: {
        f"RINGDESK_{name.upper()}": make_url(getattr(settings, name))
        .set(**parts)  # type: ignore[arg-type]
        .render_as_string(hide_password=False)
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("dsn_owner", database="nowhere"), 'database "nowhere" does not exist'),
        (changed("dsn_app", username="stranger", password="s3cret"), 'role "stranger" does not exist'),
        (changed("dsn_night", database="nowhere"), 'database "nowhere" does not exist'),
        (lambda _: {"RINGDESK_DSN_OWNER": "postgresql://x:s3cret@127.0.0.1:9/none"}, "refused"),
        (lambda _: {"RINGDESK_DSN_APP": "mysql://x"}, "must begin with postgresql://"),
        (lambda _: {"RINGDESK_DSN_APP": ""}, "dsn_app is missing"),
        (changed("dsn_app", username="ringdesk_owner"), "three different roles"),
        (changed("dsn_app", username="postgres"), "above the tables' policies"),
        (changed("dsn_owner", username="pg_monitor"), "not permitted to log in"),
    ],
)
def test_a_wrong_database_address(
    change: Change, words: str, settings: Settings, database: db.Database, tmp_path: Path
) -> None:
    said = ends(["db", "upgrade"], environment(settings, tmp_path) | change(settings))
    assert words in said and "s3cret" not in said


@pytest.mark.parametrize("word", [["night"], ["up"], ["listen", "--once"]])
def test_each_command_that_needs_the_database_says_so(word: list[str], settings: Settings, tmp_path: Path) -> None:
    env = environment(settings, tmp_path, RINGDESK_DSN_OWNER="postgresql://x@127.0.0.1:9/none")
    assert "refused" in ends(word, env)


def test_a_process_that_waits_for_its_database_says_so(settings: Settings, tmp_path: Path) -> None:
    env = environment(settings, tmp_path, RINGDESK_DSN_OWNER="postgresql://x@127.0.0.1:9/none")
    jobs = command.Running(["jobs"], env)
    try:
        assert "refused" in jobs.says("Waiting for it.", 30)
    finally:
        jobs.process.kill()
        jobs.end()


def test_a_wrong_secret_for_the_switch(settings: Settings, database: db.Database, tmp_path: Path, ami: Ami) -> None:
    (tmp_path / "ringdesk.toml").write_text(
        f'[[switches]]\nname = "pbx1"\nport = {ami.port}\nusername = "listener"\nsecret = "s3cret"\n'
    )
    said = ends(["listen", "--once"], environment(settings, tmp_path))
    assert "refuses the user listener" in said and "s3cret" not in said


def test_a_switch_that_is_away(settings: Settings, database: db.Database, tmp_path: Path) -> None:
    port = command.free_port()
    (tmp_path / "ringdesk.toml").write_text(f'[[switches]]\nname = "pbx1"\nport = {port}\nsecret = "s3cret"\n')
    env = environment(settings, tmp_path)
    said = ends(["listen", "--once"], env)
    assert f"127.0.0.1:{port} does not answer as a switch" in said and "manager.conf" in said

    listener = command.Running(["listen"], env)
    try:
        assert "does not answer as a switch" in listener.says("tried again", 30)
        assert listener.process.poll() is None
    finally:
        listener.interrupt()


@pytest.mark.parametrize("words", [["up", "--port", "99999"], ["web", "--loud"], ["ring", "--number", "abc"], ["ring", "--talk", "-1"]])
def test_an_option_that_cannot_be_meant(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service", *words], check=False, env=without_database(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("Error: "), "the last line says what is wrong"


def test_the_demo_on_one_lone_address(tmp_path: Path) -> None:
    env = without_database(tmp_path, RINGDESK_DSN_APP="postgresql://x@127.0.0.1:9/none", RINGDESK_PORT=str(command.free_port()))
    assert "makes its own database" in ends(["demo"], env)


def test_a_ring_without_a_demo(tmp_path: Path) -> None:
    (tmp_path / "postgresql").mkdir()
    said = ends(["ring"], without_database(tmp_path))
    assert "Start `ringdesk demo` first" in said and str(tmp_path) in said


def test_a_switch_that_nobody_named(settings: Settings, database: db.Database, tmp_path: Path) -> None:
    assert "No such switch" in ends(["listen", "--switch", "pbx9"], environment(settings, tmp_path))


@pytest.mark.parametrize(
    ("file", "env", "words"),
    [
        ("colour = 'red'\n", {}, "Unknown setting colour"),
        ("port = [\n", {}, "Mend that line"),
        ("", {"RINGDESK_LOCALE": "tlh"}, "use one of zh_Hans_CN, en"),
    ],
)
def test_a_wrong_setting(file: str, env: dict[str, str], words: str, tmp_path: Path) -> None:
    (tmp_path / "ringdesk.toml").write_bytes(file.encode("latin-1"))
    assert words in ends(["db", "upgrade"], without_database(tmp_path, **env))


@pytest.mark.parametrize("word", ["up", "demo"])
def test_a_data_folder_that_is_none(word: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    said = ends([word], without_database(tmp_path / "file" / "data", RINGDESK_PORT=str(command.free_port())))
    assert str(tmp_path / "file") in said and "RINGDESK_DATA" in said


def test_a_data_folder_that_nobody_may_write(tmp_path: Path) -> None:
    """/proc takes no folder of anybody, root included."""
    said = ends(["up"], without_database(Path("/proc/ringdesk"), RINGDESK_PORT=str(command.free_port())))
    assert "/proc/ringdesk" in said and "RINGDESK_DATA" in said


def test_a_data_folder_that_takes_no_byte_more(settings: Settings, database: db.Database, tmp_path: Path) -> None:
    """No file may grow in this process: what a full disk and a used-up quota look like from inside."""
    env = environment(settings, tmp_path, RINGDESK_SECRET_KEY="")
    said = ends(["db", "upgrade"], env, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert "The disk is full" in said
    assert list((tmp_path / "keys").iterdir()) == [], "no half key is left for the next start"


def test_after_a_full_disk_the_key_is_made_anew(settings: Settings, database: db.Database, tmp_path: Path) -> None:
    from service.core import config

    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "secret_key").touch()
    assert len(config.load({"RINGDESK_DATA": str(tmp_path)}).secret_key) > 40
