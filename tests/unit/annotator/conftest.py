"""What most tests of the app want: a folder of their own for files, and a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotator.models import Project
from tests import factories as make


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> Path:
    """Files of the tests lie in a folder of their own."""
    settings.STEPWISE_FILES = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def project(db: None) -> Project:
    return make.make_project()
