"""Imports: thirteen common modules in fresh processes with warm caches."""
# process
import subprocess
import sys

NAMES = "argparse, ast, collections, dataclasses, datetime, email, functools, json, logging, pathlib, re, typing, unittest"
for _ in range(8):
    subprocess.run([sys.executable, "-c", "import " + NAMES], check=True)
print("done")
