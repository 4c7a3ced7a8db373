#!/usr/bin/env python3
"""Claims that the committed Unicode tables are what their generator makes of the vectors."""
import os
import subprocess
import sys

sys.exit(subprocess.call([sys.executable, os.path.join(os.environ["SOURCE"],
                                                       "miner/models/unicode_tables.py"), "--check"]))
