"""Commands that stand alone: on a folder without a firm, beside nobody, and with a PostgreSQL of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.core.embedded import Embedded
from tests.start.command import ends, without_database
from tests.start.test_own_postgresql import printed


@pytest.mark.parametrize("words", [["night"], ["web"], ["boards"], ["jobs"], ["schedule"], ["listen"], ["ring"], ["db", "password", "ada"]])
def test_a_folder_without_a_firm_is_named_and_left_as_it_is(words: list[str], tmp_path: Path) -> None:
    nowhere = tmp_path / "elsewhere"
    said = ends(words, without_database(nowhere))
    assert str(nowhere) in said and "RINGDESK_DATA" in said
    assert not nowhere.exists()


def test_a_command_stops_the_postgresql_that_it_had_to_start(folder: Path) -> None:
    data = folder / "alone" / "data"
    data.parent.mkdir(mode=0o755)
    env, server = without_database(data), Embedded(data / "postgresql")
    printed(["db", "admin", "root", "--name", "Root", "--password", "long enough"], env)
    assert not server.running()
    assert "Generation 1 is published" in printed(["night"], env)
    assert not server.running()

    assert len(printed(["db", "password", "Root"], env).strip()) > 10
    assert "Nobody signs in as nobody" in ends(["db", "password", "nobody"], env)
    server.start()
    try:
        printed(["night"], env)
        assert server.running()
    finally:
        server.stop()


def test_a_ring_at_a_phone_and_in_a_queue(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "service", "ring", "--extension", "801", "--queue", "support"]
    done = subprocess.run(words, check=False, env=without_database(tmp_path), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "one phone or a queue" in done.stderr
