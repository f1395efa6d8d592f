"""Start-up of a script in isolated mode (-I): a file of a few functions and a class, compiled each time as scripts are."""
# process
import os
import subprocess
import sys
import tempfile

SCRIPT = '''
import sys
class Greeter:
    def __init__(self, name):
        self.name = name
    def greet(self, *, loud=False):
        text = f"hello {self.name}"
        return text.upper() if loud else text
def main(names):
    return [Greeter(name).greet(loud=i % 2 == 0) for i, name in enumerate(names)]
if __name__ == "__main__":
    assert main(["a", "b"]) == ["HELLO A", "hello b"] and sys.flags.isolated
'''
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "script.py")
    with open(path, "w") as file:
        file.write(SCRIPT)
    for _ in range(40):
        subprocess.run([sys.executable, "-I", path], check=True)
print("done")
