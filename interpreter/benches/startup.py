"""Start-up: the interpreter runs `pass` in fresh processes (site included)."""
# process
import subprocess
import sys

for _ in range(40):
    subprocess.run([sys.executable, "-c", "pass"], check=True)
print("done")
