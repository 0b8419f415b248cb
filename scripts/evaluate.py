#!/usr/bin/env python3
"""`qa evaluate` without installing anything: `python scripts/evaluate.py --help` says how it is used."""

import sys

from qa.cli import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
