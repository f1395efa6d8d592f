"""Start-up without site: the interpreter runs `pass` under -S in fresh processes."""
# process
import subprocess
import sys

for _ in range(60):
    subprocess.run([sys.executable, "-S", "-c", "pass"], check=True)
print("done")
