#!/usr/bin/env python3
"""A fuzz target with a planted bug in it must be ended by its own checks, with the words that are expected.

    oracle_test.py CORPUS WORDS PROGRAM
"""

import os
import subprocess
import sys
import tempfile

MUTATIONS = "20000"

corpus, words, program = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:  # for the input that it writes
    done = subprocess.run([os.path.abspath(program), corpus, MUTATIONS], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
said = done.stderr.decode(errors="replace")
print(said[:2000])
if done.returncode == 0 or words not in said:
    sys.exit(f"it ended with {done.returncode}, and did not say {words!r}")
