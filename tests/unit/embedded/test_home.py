"""The state folder and the addresses that follow from it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from annotator.embedded.errors import AlreadyRunning, DiskFull, HomeUnusable
from annotator.embedded.home import DEFAULT_HOME, LONGEST_SOCKET_FOLDER, Home


def test_home_is_what_the_environment_names_else_the_checkout(tmp_path: Path) -> None:
    assert Home.from_environment({"STEPWISE_HOME": str(tmp_path)}).path == tmp_path
    assert Home.from_environment({}).path == DEFAULT_HOME
    assert Home.from_environment({"STEPWISE_HOME": ""}).path == DEFAULT_HOME


def test_building_a_home_touches_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    assert home.database_url
    assert home.broker_url
    assert not home.path.exists()


def test_folders_are_ours_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    for folder in (home.path, home.files, home.logs, home.run):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_secret_key_is_made_once_and_readable_by_us_only(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    key = home.secret_key()
    assert len(key) >= 50
    assert Home(tmp_path / "home").secret_key() == key
    assert stat.S_IMODE((home.path / "secret_key").stat().st_mode) == 0o600
    assert [entry.name for entry in home.path.iterdir()] == ["secret_key"]


def test_a_home_that_is_a_file_is_refused_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeUnusable, match=r"cannot be written .* STEPWISE_HOME") as refusal:
        Home(tmp_path / "file").prepare()
    assert "\n" not in str(refusal.value)


def test_a_folder_without_write_permission_is_refused() -> None:
    with pytest.raises(HomeUnusable, match="cannot be written"):
        Home(Path("/proc/stepwise")).prepare()


def test_too_little_disk_is_told_before_anything_is_made_on_it(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"Only \d+ MiB are free .* 1099511627776 MiB are needed"):
        Home(tmp_path).prepare(minimum_free=2**60)


def test_one_supervisor_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with home.hold(), pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), home.hold():
        pass
    with home.hold():
        pass


def test_a_new_data_folder_gets_a_new_socket_folder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.postgres.mkdir()
    before = home.database_url
    home.postgres.rename(tmp_path / "old")
    home.postgres.mkdir()
    assert home.database_url != before


def test_socket_paths_stay_short_in_a_deep_home(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    home = Home(deep)
    home.postgres.mkdir()
    folder = home.socket_folder(home.postgres)
    assert len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER
    assert str(home.socket_folder(home.postgres)) == str(folder)


def test_a_loopback_port_is_remembered_while_it_is_free(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    port = home.loopback_port("simulator")
    assert home.loopback_port("simulator") == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert home.loopback_port("simulator") != port


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    """On a real full file system where we may mount one, else there is nothing to try it on."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        filler = os.open(small / "filler", os.O_CREAT | os.O_WRONLY)
        with contextlib.suppress(OSError):
            while os.write(filler, b"\0" * 4096):
                pass
        os.close(filler)
        with pytest.raises(DiskFull, match=r"No space is left|Only 0 MiB"):
            Home(small / "home").prepare()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_home_that_was_deleted_or_made_anew_is_ours_no_more(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    with home.hold() as still_ours:
        assert still_ours()
        shutil.rmtree(home.path)
        assert not still_ours()
        home.prepare()
        with home.hold() as theirs:
            assert theirs()
            assert not still_ours()
