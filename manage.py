#!/usr/bin/env python3
"""Django's command line. Finds the running system's database by STEPWISE_HOME, or by DATABASE_URL."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
