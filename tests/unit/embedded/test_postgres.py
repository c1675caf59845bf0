"""The embedded server's files: what is made, what is mended, what is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from annotator.embedded import account
from annotator.embedded import postgres as module
from annotator.embedded.errors import DataUnusable, HomeUnusable, ProgramFailed, ProgramMissing
from annotator.embedded.home import CHECKOUT, Home, make_private
from annotator.embedded.postgres import Postgres, choose_binaries, major_version, version_of_data


def over(home: Home) -> Postgres:
    """The server of this home, its data made where there was none."""
    home.prepare()
    binaries = choose_binaries(home.postgres)
    Postgres(home.postgres, home.run, binaries).prepare()
    return Postgres(home.postgres, home.socket_folder(home.postgres), binaries)


@pytest.fixture
def server(tmp_path: Path) -> Postgres:
    return over(Home(tmp_path))


def test_data_survives_stop_and_start(server: Postgres) -> None:
    with server.running():
        server.create_database("kept")
        server.create_database("kept")
        with psycopg.connect(server.url("kept")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert not server.answers()
    with server.running(), psycopg.connect(server.url("kept")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_data_survives_kill_of_the_process_that_runs_it(server: Postgres) -> None:
    program = (
        "import os, signal, psycopg\n"
        "from pathlib import Path\n"
        "from annotator.embedded.postgres import Postgres\n"
        f"paths = {[str(server.data), str(server.sockets), str(server.binaries)]!r}\n"
        "server = Postgres(*map(Path, paths))\n"
        "with server.running():\n"
        "    with psycopg.connect(server.url('postgres')) as connection:\n"
        "        connection.execute('CREATE TABLE kept AS SELECT 42 AS answer')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=False)
    assert done.returncode == -signal.SIGKILL
    with server.running(), psycopg.connect(server.url("postgres")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchall() == [(42,)]


def test_a_stale_pid_file_with_a_living_stranger_in_it_does_not_stop_the_start(server: Postgres) -> None:
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n5432\n{server.sockets}\n\n  1 1\n")
    with server.running():
        assert server.answers()


def test_what_an_interrupted_initdb_left_is_thrown_away(tmp_path: Path) -> None:
    home = Home(tmp_path)
    draft = home.postgres.with_name("postgres.making")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with over(home).running():
        assert not draft.exists()


def test_an_empty_data_folder_is_filled(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    assert version_of_data(over(home).data) == major_version(choose_binaries(home.postgres))


def test_a_folder_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    (home.postgres / "thesis.tex").write_text("years of work")
    with pytest.raises(DataUnusable, match="is not a database: move it away"):
        over(home)
    assert (home.postgres / "thesis.tex").read_text() == "years of work"


def test_data_of_another_version_is_told_with_both_versions(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("9\n")
    with pytest.raises(DataUnusable, match=r"written by PostgreSQL 9, and only .*18.* is installed here"):
        choose_binaries(home.postgres)


def test_a_damaged_version_file_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    (home.postgres / "PG_VERSION").write_text("?")
    with pytest.raises(DataUnusable, match="is damaged"):
        choose_binaries(home.postgres)


def test_no_installation_at_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installations", lambda: iter(()))
    with pytest.raises(ProgramMissing, match="No PostgreSQL was found"):
        choose_binaries(tmp_path)


def test_a_program_that_is_not_postgres_is_told(tmp_path: Path) -> None:
    fake = tmp_path / "postgres"
    fake.write_text("#!/bin/sh\necho hello\n")
    fake.chmod(0o755)
    with pytest.raises(ProgramMissing, match="does not tell its version: 'hello'"):
        major_version(tmp_path)
    with pytest.raises(ProgramMissing, match="does not run"):
        major_version(tmp_path / "nowhere")


def test_initdb_that_fails_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    for name, text in (
        ("postgres", "echo 'postgres (PostgreSQL) 18.4'"),
        ("initdb", "echo 'initdb: error: no'; exit 1"),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    data = tmp_path / "home" / "postgres"
    with pytest.raises(ProgramFailed, match="initdb failed: initdb: error: no"):
        Postgres(data, tmp_path, tmp_path).prepare()
    assert list(data.parent.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of somebody else")
def test_a_socket_folder_of_another_account_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    os.chown(folder, 1234, 1234)
    with pytest.raises(HomeUnusable, match="belongs to another account"):
        make_private(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another identity")
def test_root_without_user_namespaces_runs_it_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv (util-linux)")
    monkeypatch.setattr(account, "_namespaces_work", lambda: False)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            server = over(Home(Path(folder) / "home"))
        except HomeUnusable as refusal:
            pytest.skip(f"the checkout is out of reach of nobody: {refusal}")
        with server.running():
            assert server.answers()
            assert server.data.stat().st_uid == account.NOBODY


def test_a_server_that_does_not_end_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENDS_WITHIN", 0.3)
    data = tmp_path / "data"
    data.mkdir()
    program = tmp_path / "postgres"
    shutil.copy("/bin/sh", program)
    code = "trap '' QUIT; echo up; while :; do sleep 1; done"
    with subprocess.Popen([program, "-c", code], cwd=data, stdout=subprocess.PIPE) as lasting:
        assert lasting.stdout is not None
        lasting.stdout.readline()
        with pytest.raises(DataUnusable, match="does not end"):
            Postgres(data, tmp_path / "run", tmp_path).before_start()
        lasting.kill()
