"""Runs standalone files on demand, each in a forked child, so that the interpreter starts once.

    bench.py [support]

A request is a line `ROOT TAB MODULE TAB CASES TAB EVENTS TAB LOG TAB SECONDS`; the child records to EVENTS as recorder.py
does and prints to LOG. With MODULE `-`, ROOT is a program that is run as `__main__`. The answer is a line: `exit N`, `signal N` or `timeout`. With `support` the suite's resources are
switched off, as recorder.py does it.
"""

import os
import sys
import time
import unittest
import warnings

import recorder

CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def child(root, module, cases, events, log):
    os.setsid()
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    out = os.open(log, CREATE, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    if module == "-":
        script(root)
        return
    recorder.PID = os.getpid()
    fd = os.open(events, CREATE, 0o600)
    recorder.main(["recorder.py", str(fd), root, module, "run", "only", cases])
    sys.stdout.flush()
    sys.stderr.flush()


def script(path):
    with open(path, encoding="utf-8", errors="surrogatepass") as file:
        source = file.read()
    warnings.resetwarnings()
    scope = {"__name__": "__main__", "__builtins__": __builtins__}
    try:
        exec(compile(source, path, "exec"), scope)
    except SystemExit:
        raise
    except BaseException as exc:
        import traceback

        sys.stdout.flush()
        # The frames of this file are left out.
        traceback.print_exception(type(exc), exc, exc.__traceback__ and exc.__traceback__.tb_next)
    sys.stdout.flush()
    sys.stderr.flush()


def wait(pid, seconds):
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            if os.WIFSIGNALED(status):
                return "signal %d" % os.WTERMSIG(status)
            return "exit %d" % os.WEXITSTATUS(status)
        if time.monotonic() > deadline:
            return "timeout"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def end(pid):
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, 9)
        except OSError:
            pass
    try:
        os.waitpid(pid, 0)
    except OSError:
        pass


def main(argv):
    if "support" in argv:
        recorder.prepare("run")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        root, module, cases, events, log, seconds = line.rstrip("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                child(root, module, cases, events, log)
                code = 0
            except SystemExit as exc:
                code = exc.code if isinstance(exc.code, int) else 1
            except BaseException as exc:
                os.write(2, ascii(exc).encode() + b"\n")
            finally:
                os._exit(code)
        answer = wait(pid, float(seconds))
        end(pid)
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


main(sys.argv[1:])
