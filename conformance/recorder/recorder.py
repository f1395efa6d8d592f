"""Runs one test module through unittest and reports each case as a JSON line on an inherited file descriptor.

    recorder.py FD ROOT MODULE MODE FILTER FILE

ROOT is "-" for a module of the package `test`, else a directory that holds the module. MODE is "run", or "marks" to run
under another implementation name, so that the suite itself skips what it marks as CPython's own, or "nocapi" to run
with CPython's C test instruments out of reach. FILTER is "all", "skip"
or "only"; FILE then lists case identifiers, one a line. Both sides of a comparison run this file: it keeps to plain
constructs, so that a young interpreter gets through it.
"""

import sys
from posix import getpid, write

PID = getpid()
TEXT_LIMIT = 6000


def quote(text):
    parts = []
    for char in text:
        code = ord(char)
        if char == '"' or char == "\\":
            parts.append("\\" + char)
        elif 32 <= code < 127:
            parts.append(char)
        elif code > 0xFFFF:
            code = code - 0x10000
            parts.append("\\u%04x\\u%04x" % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)))
        elif 0xD800 <= code <= 0xDFFF:
            parts.append("\\ufffd")
        else:
            parts.append("\\u%04x" % code)
    return '"' + "".join(parts) + '"'


def encode(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return "%d" % value
    if isinstance(value, list):
        return "[" + ",".join([encode(item) for item in value]) + "]"
    if isinstance(value, dict):
        return "{" + ",".join([quote(key) + ":" + encode(value[key]) for key in value]) + "}"
    return quote(value)


def clip(text, limit=TEXT_LIMIT):
    if len(text) <= limit:
        return text
    return text[: limit // 4] + "\n[...]\n" + text[-(limit - limit // 4):]


def describe(kind, value, tb):
    """The exception as plain data: type, message, the innermost frames and the traceback's text."""
    try:
        message = str(value)
    except BaseException:
        message = "<str() of the exception failed>"
    frames = []
    step = tb
    while step is not None:
        code = step.tb_frame.f_code
        frames.append("%s|%s|%s" % (code.co_filename, code.co_name, step.tb_lineno))
        if len(frames) > 12:
            del frames[0]
        step = step.tb_next
    try:
        import traceback

        text = "".join(traceback.format_exception(kind, value, tb))
    except BaseException:
        text = "\n".join(frames)
    return {
        "type": getattr(kind, "__qualname__", str(kind)),
        "message": clip(message, 800),
        "frames": frames,
        "trace": clip(text),
    }


class Channel:
    """Writes the events, and adds up the CPU time that the recorder takes from the cases."""

    def __init__(self, fd):
        self.fd = fd
        self.spent = 0.0
        self.cpu = cpu_clock()

    def timed(self, work, *args):
        began = self.cpu()
        try:
            return work(*args)
        finally:
            self.spent += self.cpu() - began

    def send(self, event):
        if getpid() != PID:
            return
        event["pid"] = PID
        if event["e"] in ("done", "end"):
            event["own_us"] = int(self.spent * 1000000)
        self.timed(self.put, event)

    def put(self, event):
        data = (encode(event) + "\n").encode("ascii")
        while data:
            count = write(self.fd, data)
            data = data[count:]


def cpu_clock():
    try:
        from time import thread_time
    except ImportError:
        return lambda: 0.0
    return thread_time


def clock():
    """Milliseconds; bound before a test can replace time's functions."""
    try:
        from time import perf_counter
    except ImportError:
        return lambda: 0
    return lambda: int(perf_counter() * 1000)


def flatten(unittest, suite, found):
    for item in suite:
        if isinstance(item, unittest.BaseTestSuite):
            flatten(unittest, item, found)
        else:
            found.append(item)


def keep(unittest, suite, wanted):
    """Drops from the suite, in place, the cases that `wanted` refuses."""
    left = []
    for item in suite._tests:
        if isinstance(item, unittest.BaseTestSuite):
            keep(unittest, item, wanted)
            left.append(item)
        elif wanted(getattr(item, "_recorder_key", None)):
            left.append(item)
    suite._tests = left


def enumerate_cases(unittest, suite, prefix, channel):
    """Gives each case its key (identifiers repeat: the second is `id#2`) and returns {key: (class, module)}."""
    found = []
    flatten(unittest, suite, found)
    seen = {}
    pending = {}
    for case in found:
        name = case.id()
        if name.startswith(prefix):
            name = name[len(prefix):]
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = "%s#%d" % (name, seen[name])
        try:
            case._recorder_key = name
        except AttributeError:
            continue
        cls = type(case)
        pending[name] = (cls.__module__ + "." + cls.__qualname__, cls.__module__)
        kind = "doctest" if cls.__module__ == "doctest" else "unittest"
        channel.send({"e": "case", "id": name, "kind": kind})
    return pending


def make_result(unittest, channel, pending, now):
    class Result(unittest.TestResult):
        def startTest(self, test):
            if getpid() != PID:
                # A forked child that fell through into the rest of the suite would run it a second time.
                import os

                os._exit(0)
            unittest.TestResult.startTest(self, test)
            self.status = None
            self.exc = None
            self.reason = None
            self.passed = 0
            self.failed = 0
            self.skipped_parts = 0
            channel.send({"e": "start", "id": test._recorder_key})
            self.began = now()

        def stopTest(self, test):
            unittest.TestResult.stopTest(self, test)
            key = test._recorder_key
            status = self.status
            if status is None and self.skipped_parts:
                status = "pass" if self.passed else "skip"
            event = {"e": "done", "id": key, "status": status or "error", "ms": now() - self.began}
            if status is None:
                event["reason"] = "the case ended without an outcome"
            if self.exc is not None:
                event["exc"] = self.exc
            if self.reason is not None:
                event["reason"] = clip(self.reason, 400)
            if self.passed or self.failed or self.skipped_parts:
                event["subtests"] = {"passed": self.passed, "failed": self.failed, "skipped": self.skipped_parts}
            pending.pop(key, None)
            channel.send(event)

        def set_failure(self, status, err):
            if self.status not in ("fail", "error"):
                self.status = status
                self.exc = channel.timed(describe, err[0], err[1], err[2])

        def fixture(self, test, status, exc, reason):
            """A class or module fixture that fails or skips decides every case behind it that has not run."""
            name = test.id()
            where = name[name.find("(") + 1: name.rfind(")")]
            channel.send({"e": "fixture", "id": name, "status": status, "exc": exc, "reason": reason})
            if name.startswith("setUpClass"):
                index = 0
            elif name.startswith("setUpModule"):
                index = 1
            else:
                return
            for key in list(pending):
                if pending[key][index] == where:
                    del pending[key]
                    event = {"e": "done", "id": key, "status": status, "ms": 0, "reason": reason or name}
                    if exc is not None:
                        event["exc"] = exc
                    channel.send(event)

        def addSuccess(self, test):
            if self.status is None:
                self.status = "pass"

        def addError(self, test, err):
            if not hasattr(test, "_recorder_key") and not hasattr(test, "test_case"):
                self.fixture(test, "error", describe(err[0], err[1], err[2]), None)
            else:
                self.set_failure("error", err)

        def addFailure(self, test, err):
            self.set_failure("fail", err)

        def addSkip(self, test, reason):
            if hasattr(test, "test_case"):
                self.skipped_parts += 1
                self.reason = str(reason)
            elif hasattr(test, "_recorder_key"):
                if self.status is None:
                    self.status = "skip"
                    self.reason = str(reason)
            else:
                self.fixture(test, "skip", None, str(reason))

        def addExpectedFailure(self, test, err):
            if self.status is None:
                self.status = "xfail"

        def addUnexpectedSuccess(self, test):
            if self.status is None:
                self.status = "xpass"

        def addSubTest(self, test, subtest, err):
            if err is None:
                self.passed += 1
            else:
                self.failed += 1
                self.set_failure("fail" if issubclass(err[0], test.failureException) else "error", err)

    return Result()


def hide_capi():
    """Leaves of CPython's C test instruments the plain constants and what test.support itself asks of them."""

    class Needed:
        armed = False

        def __init__(self, name):
            self.name = name

        def __call__(self, *args, **kwargs):
            if Needed.armed:
                raise NotImplementedError("needs " + self.name)
            # While the module loads: a decorator, or the making of an instance.
            return args[0] if args else self

    kept = ("get_recursion_depth", "get_feature_macros", "get_config", "get_c_recursion_remaining")
    for name in ("_testcapi", "_testinternalcapi", "_testlimitedcapi"):
        real = __import__(name)
        stub = type(sys)(name)
        for key in dir(real):
            value = getattr(real, key)
            if not isinstance(value, (int, float, str)) and key not in kept:
                value = Needed(name + "." + key)
            setattr(stub, key, value)
        sys.modules[name] = stub
    return Needed


def prepare(mode):
    """Conditions that regrtest sets: no resource is switched on, no big-memory test runs.

    Returns what test.support stumbled over, and in mode "nocapi" the class that is armed once the module is loaded.
    """
    needed = None
    if mode == "marks":
        sys.implementation.name = "other"
    elif mode == "nocapi":
        needed = hide_capi()
    try:
        from test import support
    except BaseException as exc:
        return exc, needed
    support.use_resources = ()
    support.max_memuse = 0
    support.verbose = 0
    return None, needed


def read_filter(kind, path):
    if kind == "all":
        return lambda key: True
    with open(path, encoding="utf-8") as file:
        names = set(file.read().split("\n"))
    if kind == "skip":
        return lambda key: key not in names
    return lambda key: key in names


def main(argv):
    fd = int(argv[1])
    root, name, mode = argv[2], argv[3], argv[4]
    channel = Channel(fd)
    channel.send({"e": "hello", "version": sys.version, "executable": sys.executable or ""})
    stage = "unittest"
    try:
        import os

        os.set_inheritable(fd, False)
        sys.path[0] = os.getcwd()
        import unittest
        import warnings

        now = clock()
        stage = "support"
        trouble, needed = prepare(mode) if root == "-" else (None, None)
        wanted = read_filter(argv[5], argv[6])
        stage = "module"
        if root == "-":
            prefix = "test." + name + "."
            __import__("test." + name)
            module = sys.modules["test." + name]
        else:
            prefix = name + "."
            sys.path.insert(0, root)
            module = __import__(name)
        stage = "load"
        loader = unittest.TestLoader()
        suite = loader.loadTestsFromModule(module)
    except BaseException as exc:
        kind = type(exc)
        if kind.__name__ == "SkipTest" and stage != "unittest":
            channel.send({"e": "module", "status": "skip", "reason": str(exc), "stage": stage})
            return
        if stage == "module" and trouble is not None:
            # The module most likely stumbled over the same stone as test.support, which shows it better.
            exc = trouble
        channel.send({
            "e": "module", "status": "import_error", "stage": stage, "exc": describe(type(exc), exc, exc.__traceback__),
        })
        return
    pending = enumerate_cases(unittest, suite, prefix, channel)
    keep(unittest, suite, wanted)
    for key in list(pending):
        if not wanted(key):
            del pending[key]
    if needed is not None:
        needed.armed = True
    channel.send({"e": "loaded"})
    result = make_result(unittest, channel, pending, now)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("default")
        result.startTestRun()
        try:
            suite(result)
        finally:
            result.stopTestRun()
    channel.send({"e": "end"})


if __name__ == "__main__":
    main(sys.argv)
