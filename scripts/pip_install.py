#!/usr/bin/env python3
"""pip install with one line of progress, and pip's own words only when it fails. Uses nothing but Python itself.

python scripts/pip_install.py ARGUMENTS OF PIP INSTALL…
"""

from __future__ import annotations

import subprocess
import sys
from collections import deque


def main() -> int:
    """Run pip and return its exit code."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    last: deque[str] = deque(maxlen=25)
    found = 0
    with subprocess.Popen(
        [*command, *sys.argv[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout  # noqa: S101 - it was asked for
        for line in pip.stdout:
            last.append(line)
            words = line.split()
            if line.startswith("Collecting"):
                found += 1
                say(f"{found} packages found, now {words[1]}", every=found % 25 == 0)
            elif line.startswith("Installing collected packages"):
                say(f"{found} packages found, unpacking them", every=True)
    if pip.returncode:
        sys.stderr.write("\n" + "".join(last))
    elif sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
    return pip.returncode


def say(text: str, *, every: bool) -> None:
    """Rewrite the line on a terminal; elsewhere print only now and then."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K  {text[:76]}")
    elif every:
        sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Run make again to go on.")
