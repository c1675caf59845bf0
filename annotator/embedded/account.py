"""PostgreSQL refuses to run as root. As root it gets another identity here, without a new account and without opening
the permissions of anything that is not ours."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from annotator.embedded.errors import HomeUnusable, ProgramMissing

NOBODY: Final = 65534
_NAMESPACE: Final = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
_CHANGED: Final = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=KILL", "--")


@functools.cache
def _namespaces_work() -> bool:
    """Whether kernel and container allow a user namespace that maps us to nobody; files stay ours then."""
    if not shutil.which(_NAMESPACE[0]):
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def unprivileged() -> tuple[str, ...]:
    """What to put before a command so that it does not see itself as root; nothing where we are not root.

    Raises ProgramMissing where neither way exists.
    """
    if os.geteuid() != 0:
        return ()
    if _namespaces_work():
        return _NAMESPACE
    if shutil.which(_CHANGED[0]):
        return _CHANGED
    raise ProgramMissing("As root, PostgreSQL needs the programs unshare or setpriv (package util-linux).")


def hand_over(*paths: Path) -> None:
    """Give `paths` to the identity that PostgreSQL will run under, where that is another one than ours."""
    if unprivileged() == _CHANGED:
        for path in paths:
            os.chown(path, NOBODY, NOBODY)


def let_through(folder: Path) -> None:
    """Let that other identity pass through a private folder of ours (enter, not list); leave other folders alone."""
    private = folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o077
    if unprivileged() == _CHANGED and private:
        folder.chmod(0o711)


def may_enter(folder: Path) -> None:
    """Raise HomeUnusable where PostgreSQL, under its other identity, could not reach `folder`."""
    if unprivileged() != _CHANGED:
        return
    if subprocess.run([*_CHANGED, "test", "-x", str(folder)], check=False).returncode:
        raise HomeUnusable(
            f"This machine refuses user namespaces to root, and without them PostgreSQL cannot reach {folder}: "
            "run as an ordinary user, or move it (STEPWISE_HOME, or the checkout) to where everybody may enter."
        )
