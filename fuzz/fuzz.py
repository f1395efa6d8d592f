#!/usr/bin/env python3
"""Mutates Python source and looks for faults of Krait: crashes, panics, hangs, sources judged otherwise than by the reference.

usage: PYTHON3.13 fuzz/fuzz.py [--seconds N] [--programs N] [--seed N] [--target front,run,code] [--subject KRAIT]
       PYTHON3.13 fuzz/fuzz.py --again FINDING...

Must run under the reference CPython 3.13. Three targets take turns:
  front   `compile` and `ast.parse` accept and refuse as the reference does, and the trees are the same
  run     test functions of the language's suite, mutated, run without imports and files; their results do not matter
  code    such functions as they are, whose marshalled code is corrupted before it is loaded and run
The same seed gives the same programs. What is found goes to target/fuzz, a file for each, with its target in the name.
"""
import argparse
import ast
import hashlib
import json
import marshal
import os
import random
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import tokenize
import warnings

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.environ.get("CARGO_TARGET_DIR", ROOT + "/target")
LIB = os.path.dirname(os.__file__)
MEMORY = 2 << 30
# A program is interrupted after the first time and counts as hanging after the second, in seconds.
PATIENCE, DEADLINE = 2, 30
# How often a program is interrupted before its process ends, with this code.
INTERRUPTIONS, GAVE_UP = 50, 77
ENDLESS = f"no answer within {DEADLINE} s"
# Suite modules whose functions need little but the language.
PURE = """
test_grammar test_patma test_generators test_with test_scope test_dict test_list test_tuple test_set test_str test_bytes
test_exceptions test_except_star test_exception_group test_descr test_class test_super test_property test_decorators
test_unpack_ex test_named_expressions test_listcomps test_coroutines test_asyncgen test_yield_from test_slice test_range
test_int test_float test_complex test_long test_iter test_enumerate test_sort test_fstring test_format test_memoryview
test_type_params test_type_aliases test_keywordonlyarg test_positional_only_arg test_extcall test_call test_dictviews
test_builtin test_isinstance test_augassign test_binop test_richcmp test_raise test_global test_opcache test_weakref
test_genericalias test_types test_compare test_contains test_index test_metaclass test_subclassinit test_dynamic
""".split()
WORDS = """
( ) [ ] { } , : ; = == != := . ... * ** -> @ + - / // % < > << | & ^ ~ not in is if else for while lambda await async
yield return raise del try: except finally: with as def class import from global nonlocal assert pass break continue
match case type None True False 'x' b'x' f'{x}' f'{x!r:>{y}}' 0 1 -1 0x10 1e3 1j 10**20 2**63 '\\ud800' x _ self \\
! $ ? \n \t ' \" # ''' {} [] () (x,) [x] {x:x} {*x} *x **x x.y x[0] x[::] x() x(*y,**z) (yield) (x:=1) é λ \0 \x0c
""".split(" ")
# Builtins that reach outside or wait for somebody.
WITHHELD = {"open", "input", "__import__", "breakpoint", "exit", "quit", "help", "copyright", "credits", "license",
            "exec", "eval", "compile", "print"}


class Pool:
    """The nodes of some kinds in some files."""

    def __init__(self, rng, paths, kinds):
        self.rng, self.kinds = rng, kinds
        self.paths = [path for path in paths if os.path.exists(path)]
        self.parsed, self.recent = {}, []

    def nodes(self, path):
        if path not in self.parsed:
            try:
                with tokenize.open(path) as file:
                    text = file.read()
                nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, self.kinds)]
                self.parsed[path] = text.splitlines(True), nodes
            except (SyntaxError, UnicodeDecodeError):
                self.parsed[path] = [], []
        return self.parsed[path]

    def pick(self):
        """A node and its text. Files are read a few at a time: reading one costs more than trying a program."""
        while True:
            if len(self.recent) < 8 or self.rng.random() < 0.02:
                self.recent = self.recent[-40:] + [self.rng.choice(self.paths)]
            lines, nodes = self.nodes(self.rng.choice(self.recent))
            if not nodes:
                self.recent.append(self.rng.choice(self.paths))
                continue
            node = self.rng.choice(nodes)
            text = textwrap.dedent("".join(lines[node.lineno - 1:node.end_lineno]))
            if len(text) < 4000:
                return node, text


class Corpus:
    """Statements of the library for the front end, functions of the suite to run."""

    def __init__(self, rng):
        self.rng = rng
        names = sorted(
            os.path.join(folder, name)
            for folder in (LIB, LIB + "/test") for name in os.listdir(folder) if name.endswith(".py")
        )
        self.statements = Pool(rng, names, ast.stmt)
        functions = ast.FunctionDef, ast.AsyncFunctionDef
        self.functions = Pool(rng, [f"{LIB}/test/{name}.py" for name in PURE], functions)

    def front(self):
        return self.mutate(self.statements.pick()[1], self.rng.choice((0, 1, 1, 2, 3)))

    def run(self):
        node, text = self.functions.pick()
        text = self.mutate(text, self.rng.choice((0, 1, 1, 2, 4)))
        return self.call(node, text)

    def code(self):
        """A program behind a line with the number that its corruption follows from."""
        return f"# {self.rng.randrange(1 << 30)}\n{self.call(*self.functions.pick())}"

    def call(self, node, text):
        return f"{text}\nresult = {node.name}(*[Any() for _ in range({len(node.args.args)})])\ndrive(result)\n"

    def mutate(self, text, times):
        rng = self.rng
        for _ in range(times):
            pieces = re.findall(r"\w+|\s+|[^\w\s]", text)
            if not pieces:
                return text
            at, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
            action = rng.randrange(7)
            if action == 0:
                del pieces[at]
            elif action == 1:
                pieces.insert(at, rng.choice(WORDS))
            elif action == 2:
                pieces[at] = rng.choice(WORDS)
            elif action == 3:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            elif action == 4:
                pieces[at:at] = pieces[min(at, other):max(at, other)][:60]
            elif action == 5:
                del pieces[min(at, other):min(max(at, other), min(at, other) + 20)]
            else:
                pieces[at:at] = [rng.choice("([{-~")] * rng.choice((1, 3, 250))
            text = "".join(pieces)
        return text


def judge(source):
    """What the front end says of a source: the class of its refusal, or the tree's digest."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = compile(source, "<fuzz>", "exec", ast.PyCF_ONLY_AST, True)
            compile(source, "<fuzz>", "exec", 0, True)
    except (SyntaxError, ValueError, OverflowError) as error:
        return [type(error).__name__, str(getattr(error, "msg", error))]
    except (RecursionError, MemoryError):
        return ["too deep"]
    try:
        forget_texts(tree)
        dump = ast.dump(tree, include_attributes=True)
    except RecursionError:
        return ["too deep"]
    return ["OK", hashlib.md5(dump.encode("utf-8", "surrogatepass")).hexdigest()]


def forget_texts(tree):
    """In a format specification the reference takes the text of `{x=}` from anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            for part in node.format_spec.values:
                if isinstance(part, ast.Constant) and part.value.rstrip().endswith("="):
                    part.value = "="


class Any:
    """Stands for whatever a test function is given."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Any()

    def __call__(self, *arguments, **keywords):
        for argument in arguments:
            if callable(argument) and not isinstance(argument, (type, Any)):
                return argument(*[x for x in arguments if x is not argument])
        return Any()

    def __enter__(self):
        return self

    def __exit__(self, *details):
        return True

    def __iter__(self):
        return iter((1, 2))


def drive(result):
    """Runs a coroutine or a generator for a while."""
    send = getattr(result, "send", None)
    if send is not None and not isinstance(result, Any):
        for _ in range(50):
            send(None)


def give_up(*_):
    global interruptions
    interruptions += 1
    if interruptions > INTERRUPTIONS:
        # Corrupted code may catch for ever what interrupts it; that it can be interrupted is what matters.
        os._exit(GAVE_UP)
    raise TimeoutError("the program runs for too long")


def corrupted(source):
    """The program's code, from marshalled bytes of which some are wrong."""
    rng = random.Random(int(source.split(None, 2)[1]))
    data = bytearray(marshal.dumps(compile(source, "<fuzz>", "exec", 0, True)))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at, other = rng.randrange(13, len(data)), rng.randrange(13, len(data))
        action = rng.randrange(4)
        if action == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif action == 1:
            data[at] = (data[at] + rng.choice((-2, -1, 1, 2))) % 256
        elif action == 2:
            data[at] = rng.randrange(256)
        else:
            data[at:at + 8] = data[other:other + 8][:len(data) - at]
    return marshal.loads(bytes(data))


def execute(source, damaged=False):
    import builtins
    names = {name: value for name, value in vars(builtins).items() if name not in WITHHELD}
    names["print"] = lambda *arguments, **keywords: [str(argument) for argument in arguments]
    space = {"__builtins__": names, "__name__": "fuzz", "Any": Any, "drive": drive}
    global interruptions
    interruptions = 0
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE, 0.2)
    try:
        try:
            exec(corrupted(source) if damaged else compile(source, "<fuzz>", "exec", 0, True), space)
            return ["OK"]
        except BaseException as error:
            return [type(error).__name__]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            space.clear()
    except BaseException as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return [type(error).__name__]


def serve():
    """The side of the subject: answers jobs line by line."""
    sys.setrecursionlimit(1000)
    jobs = {"front": judge, "run": execute, "code": lambda source: execute(source, True)}
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda details: None
    for line in sys.stdin:
        target, source = json.loads(line)
        out.write(json.dumps(jobs[target](source)) + "\n")
        out.flush()


class Subject:
    def __init__(self, path):
        self.path = path
        self.process = None
        self.log = tempfile.TemporaryFile()

    def start(self):
        def limits():
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        self.log.seek(0)
        self.log.truncate()
        command = [self.path, os.path.abspath(__file__), "--serve"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        preexec_fn=limits, cwd=os.path.join(TARGET, "fuzz"))

    def ask(self, target, source):
        """The answer, or a text that says how the subject died."""
        if self.process is None:
            self.start()
        self.process.stdin.write(json.dumps([target, source]).encode() + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], DEADLINE)[0]:
            self.stop()
            return ENDLESS
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.process = None
        if code == GAVE_UP:
            return ["TimeoutError"]
        self.log.seek(0)
        return f"ended with {code}: " + self.log.read()[-600:].decode(errors="replace").strip()

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def fault(subject, target, source):
    """What is wrong with the subject's answer, or None."""
    answer = subject.ask(target, source)
    if isinstance(answer, str):
        # A process that the programs before have filled is no finding, nor is a program that never ends anywhere.
        answer = subject.ask(target, source)
        if answer == ENDLESS and target != "code":
            reference = Subject(sys.executable)
            wanted = reference.ask(target, source)
            reference.stop()
            return None if wanted == ENDLESS else answer
        return answer if isinstance(answer, str) else None
    if target == "front":
        wanted = judge(source)
        if wanted[0] == "ValueError" and wanted[1].endswith("is required for Constant"):
            # The reference's own fault: the text of `{x=}` is missing.
            return None
        if wanted != answer and ["too deep"] not in (wanted, answer):
            return f"the reference says {wanted}, the subject {answer}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--programs", type=int, help="at most so many, however fast the machine is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", default="front,run,code")
    parser.add_argument("--subject", default=TARGET + "/conf/krait")
    parser.add_argument("--again", nargs="+", help="files of findings to try again")
    options = parser.parse_args()
    folder = TARGET + "/fuzz"
    os.makedirs(folder, exist_ok=True)
    subject = Subject(os.path.abspath(options.subject))
    found = tried = 0
    if options.again:
        for path in options.again:
            with open(path, encoding="utf-8", newline="") as file:
                why = fault(subject, os.path.basename(path).split("-")[0], file.read())
            print(f"{path}: {why or 'no fault'}")
            found += why is not None
        subject.stop()
        return found != 0
    corpus = Corpus(random.Random(options.seed))
    targets = options.target.split(",")
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and (options.programs is None or tried < options.programs):
        target = targets[tried % len(targets)]
        tried += 1
        source = getattr(corpus, target)()
        try:
            source.encode()
        except UnicodeEncodeError:
            continue
        why = fault(subject, target, source)
        if why is None:
            continue
        found += 1
        path = f"{folder}/{target}-{hashlib.md5(source.encode()).hexdigest()[:12]}.py"
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(source)
        print(f"{path}: {why}", flush=True)
    subject.stop()
    print(f"{tried} programs, {found} findings")
    return found != 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main())
