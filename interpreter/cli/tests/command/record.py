"""Records `expected.txt`: what CPython 3.13 does with the command lines below. Run it with the reference.

A block per case: `case`, `arg`, `env`, `stdin`, `file`, `folder`, `closed` and `full` (a descriptor that is closed, or on
`/dev/full`) say what is done; `status`, `out` and `err` what came of it. PROGRAM and HERE stand for the interpreter and the
folder that it runs in. Where a traceback is long, only its end is kept: `last`.
"""
import os
import subprocess
import sys
import tempfile


def case(name, *args, stdin='', files=(), folders=(), env=(), closed=(), full=(), last=False):
    return locals()


def code(name, text, **how):
    return case(name, '-c', text, **how)


CASES = [
    case('missing file', 'nofile.py'),
    case('missing file elsewhere', '/nowhere/at/all.py'),
    case('folder without main', 'd', folders=['d']),
    case('empty name', ''),
    case('folder with main', 'd', folders=['d'], files=[('d/__main__.py', 'print("main", __name__)\n')]),
    case('package as module', '-m', 'd', folders=['d']),
    case('missing module', '-m', 'no_such_module'),
    case('module of a plain module', '-m', 'ok.x', files=[('ok.py', 'print(1)\n')]),
    case('not UTF-8', 'bad.py', files=[('bad.py', b'a = 1\nx = "\xff"\n')]),
    case('NUL', 'nul.py', files=[('nul.py', 'x = 1\0\n')]),
    case('NUL in a string', 'nul.py', files=[('nul.py', "'''\nmulti\0line\n'''\n")]),
    case('unknown encoding', 'enc.py', files=[('enc.py', '# coding: no-such\n')]),
    case('BOM and other encoding', 'enc.py', files=[('enc.py', b'\xef\xbb\xbf# coding: latin1\n')]),
    case('latin1', 'enc.py', files=[('enc.py', b'# coding: latin1\nprint(ascii("\xff"))\n')]),
    case('wrong magic number', 'bad.pyc', files=[('bad.pyc', 'abcdefghijklmnopqrst')]),
    case('short pyc', 'bad.pyc', files=[('bad.pyc', '')]),
    case('skip the first line', '-x', 'x.py', files=[('x.py', 'not python at all\n1/0\n')]),
    case('file of main', 'x.py', files=[('x.py', 'print(__file__, __cached__, type(__loader__).__name__)\n')]),
    case('file is gone afterwards', '-q', '-i', 'x.py', files=[('x.py', 'x = 1\n')], stdin='"__file__" in dir()\n'),
    *[case(f'option {o} without value', o) for o in ('-c', '-m', '-W', '-X')],
    case('unknown option', '-z'),
    case('unknown long option', '--nothing'),
    case('option of Jython', '-J'),
    case('hash check without value', '--check-hash-based-pycs'),
    case('hash check with a wrong value', '--check-hash-based-pycs', 'x'),
    case('version', '-V'),
    case('long version', '--version'),
    case('bad warning action', '-W', 'nothing', '-c', 'pass'),
    case('bad warning category', '-W', 'error::Nothing', '-c', 'pass'),
    *[case(f'-X {x}', '-X', x, '-c', 'pass') for x in (
        'int_max_str_digits', 'int_max_str_digits=3', 'cpu_count=0', 'gil', 'gil=0', 'gil=1', 'utf8=2', 'frozen_modules=x',
        'tracemalloc=x', 'dev', 'nothing')],
    *[code(f'{k}={v}', 'pass', env=[(k, v)]) for k, v in (
        ('PYTHONHASHSEED', 'x'), ('PYTHONHASHSEED', '4294967296'), ('PYTHONINTMAXSTRDIGITS', '5'), ('PYTHON_CPU_COUNT', 'x'),
        ('PYTHON_GIL', '0'), ('PYTHON_GIL', '2'), ('PYTHONUTF8', '5'), ('PYTHONMALLOC', 'x'), ('PYTHONTRACEMALLOC', 'x'),
        ('PYTHON_FROZEN_MODULES', 'x'))],
    case('flags', '-bbBdEOOqRsSu', '-c', 'import sys; print(sys.flags, sys.flags.gil)'),
    case('isolated', '-I', '-c', 'import sys; print(sys.flags)'),
    code('flags of variables', 'import sys; print(sys.flags)', env=[
        ('PYTHONDEBUG', '2'), ('PYTHONOPTIMIZE', 'text'), ('PYTHONNOUSERSITE', '0'), ('PYTHONDEVMODE', '0'),
        ('PYTHONSAFEPATH', '0'), ('PYTHONWARNDEFAULTENCODING', '0')]),
    case('ignored variables', '-E', '-c', 'import sys; print(sys.flags)', env=[('PYTHONOPTIMIZE', '2')]),
    case('warning options', '-Wd', '-We', '-X', 'dev', '-bb', '-c', 'import sys; print(sys.warnoptions)',
         env=[('PYTHONWARNINGS', 'a,i')]),
    case('arguments', '-c', 'import sys; print(sys.argv)', 'a', '-b', '--', 'c'),
    case('end of options', '--', 'ok.py', '-V', files=[('ok.py', 'import sys; print(sys.argv)\n')]),
    case('standard input', '-', 'a', stdin='import sys; print(sys.argv, __file__)\n'),
    case('standard input with an error', stdin='def f(): 1/0\nf()\n'),
    code('exit text', 'import sys; sys.exit("text")'),
    code('exit number', 'import sys; sys.exit(-1)'),
    code('exit tuple', 'raise SystemExit((1, 2))'),
    code('exit none', 'raise SystemExit'),
    code('exit surrogates', r'import sys; sys.exit("\udcff")'),
    code('interrupted', 'raise KeyboardInterrupt'),
    code('syntax error', 'x = 1 +'),
    code('uncaught', '1/0'),
    code('no hook', 'import sys; sys.excepthook = None; 1/0'),
    code('no error stream', 'import sys; sys.stderr = None; 1/0'),
    code('bytes warning', 'str(b"")'),
    case('bytes warning, -b', '-b', '-c', 'str(b""); b"" == ""; b"" == 1; bytearray() == ""'),
    case('bytes warning, -bb', '-bb', '-c', 'str(b"")'),
    code('full disk', 'print(1)', full=[1]),
    code('full disk and an exit status', 'import sys; print(1); sys.exit(5)', full=[1]),
    code('full disk, at once', 'print("x" * 100000)', full=[1]),
    code('full disk for errors', '1/0', full=[2]),
    case('help on a full disk', '-h', full=[1]),
    code('closed output', 'print(1)', closed=[1]),
    code('closed errors', '1/0', closed=[2]),
    code('closed input', 'import sys; print(sys.stdin)', closed=[0]),
    code('closed input is read', 'input()', closed=[0]),
    case('program from a closed input', closed=[0]),
    code('descriptors of closed streams', 'import os; os._exit(os.open("/dev/null", 0))', closed=[0, 1, 2]),
    code('output closed by the program', 'import sys; sys.stdout.close()'),
    code('output is no file', 'import sys; sys.stdout = 3'),
    code('weak references that finalisers make to garbage', '''
import gc, weakref
made = []
class Finalized:
    def __del__(self):
        made.append(weakref.ref(self.other))
class Other:
    pass
for _ in range(500):
    one, other = Finalized(), Other()
    one.other, other.one, other.self = other, one, other
    del one, other
    gc.collect(0)
gc.collect()
print(sum(reference() is not None for reference in made), len(made))
'''),
    code('the dict of an instance', '''
import gc, weakref
class A:
    def __init__(self): self.x = 1; self.y = 2
def seen(name, instance, shown): print(name, shown, sorted(vars(instance).items(), key=str), shown is instance.__dict__)
a = A(); d = a.__dict__; a.x = 5; d['y'] = 7; d['z'] = 9; a.w = 1; seen('both ways', a, d)
a.v = 1; a.u = 2; a.t = 3; del a.t; seen('grown', a, d)
a = A(); d = a.__dict__; del d['x']; a.x = 3; seen('deleted', a, d)
a = A(); d = a.__dict__; d[1] = 2; a.x = 4; seen('other keys', a, d)
a = A(); d = a.__dict__; del a; gc.collect(); print('outlives', d)
class S(str): pass
a = A(); d = a.__dict__; d[S('x')] = 9; d[S('q')] = 1; print(a.x, a.q, d)
a = A(); d = a.__dict__; d.update(p=1); d.clear(); a.n = 1; seen('cleared', a, d)
a = A(); d = a.__dict__; a.__dict__ = {'k': 1}; print('replaced', a.k, d, hasattr(a, 'x'))
class B(A): pass
a = A(); d = a.__dict__; a.__class__ = B; a.x = 8; seen('other class', a, d)
class D:
    def __del__(self): print('dropped')
a = A(); d = a.__dict__; a.o = D(); del a.o; print('one'); a.o = D(); d['o'] = None; print('two')
a = A(); a.d = a.__dict__; w = weakref.ref(a); del a; gc.collect(); print('cycle through the dict', w())
a = A(); d = a.__dict__; d['self'] = a; w = weakref.ref(a); del a; d['self'] = None; print('owner dropped by the dict', w(), d)
a = A()
try:
    for key in a.__dict__: a.__dict__[key + '2'] = 1
except RuntimeError as e: print(e)
class K:
    def __hash__(self): return hash('x')
    def __eq__(self, other): a.y = 99; return other == 'x'
a = A(); d = a.__dict__; print(d[K()], d['y'], d.pop('x'), d.popitem(), d)
'''),
    *[code(f'deep: {name}', text, last=True) for name, text in (
        ('brackets', "eval('(' * 1000000)"),
        ('recursion', 'def f(): f()\nf()'),
        ('repr', 'a = []\nfor i in range(1000000): a = [a]\nrepr(a)'),
        ('equality', 'a, b = [], []\nfor i in range(1000000): a, b = [a], [b]\na == b'),
        ('lists die', 'a = []\nfor i in range(1000000): a = [a]\ndel a\nprint("ok")'),
        ('objects die', 'class A: pass\na = None\nfor i in range(300000):\n b = A(); b.a = a; a = b\ndel a, b\nprint("ok")'),
        ('getattr', 'class A:\n def __getattr__(self, n): return getattr(self, n)\nA().x'),
        ('memory', "b'a' * 10**18"))],
    *[case(f'session: {text!r}', '-q', '-i', stdin=text) for text in (
        'x = 1', '1/0\n2\n', 'def f():\n  return 1\nf()\n', 'if 1:\n  print(3)\n', 'def f():\n', '(\n', '\n\n#c\n1\n', 'x = \n1\n',
        'raise SystemExit(4)\n', 'def f():\n  1/0\n\nf()\n', "'''a\n\nb'''\n", '  1\n', 'return 1\n', 'x = 1 + \\\n  2\nx\n',
        'class A:\n\n  x = 1\n\n3\n', 'if 1:\n  2\n  \n# x\n\n', "import sys; sys.ps1 = 'a '; sys.ps2 = 'b '\nif 1:\n  3\n\n",
        'None\n_\n', "'\\d'\n", 'raise KeyboardInterrupt\n1\n', '[1,\n\n2]\n')],
    code('session after an exit', 'raise SystemExit(3)', env=[('PYTHONINSPECT', '1')]),
    case('session after a program', '-q', '-i', '-c', 'x = 5; 1/0', stdin='x\n'),
    case('start-up file', '-q', '-i', stdin='x\n', files=[('s.py', 'x = 7\n')], env=[('PYTHONSTARTUP', 's.py')]),
    case('missing start-up file', '-q', '-i', stdin='1\n', env=[('PYTHONSTARTUP', 'nofile.py')]),
]


def escape(data):
    text = data if isinstance(data, str) else data.decode('latin-1')
    return text.replace('\\', r'\\').replace('\n', r'\n').replace('\r', r'\r').replace('\0', r'\0')


def run(c, here):
    for folder in c['folders']:
        os.mkdir(os.path.join(here, folder))
    for name, content in c['files']:
        with open(os.path.join(here, name), 'wb') as f:
            f.write(content if isinstance(content, bytes) else content.encode())
    command = '"$0" "$@"' + ''.join(f' {n}>&-' for n in c['closed']) + ''.join(f' {n}>/dev/full' for n in c['full'])
    env = {k: os.environ[k] for k in ('PATH', 'HOME') if k in os.environ} | {'LANG': 'C.UTF-8'} | dict(c['env'])
    done = subprocess.run(['/bin/sh', '-c', 'exec ' + command, sys.executable, *c['args']], input=c['stdin'].encode(), cwd=here,
                          env=env, capture_output=True, timeout=100)
    def lines(data):
        text = data.decode('utf-8', 'backslashreplace').replace(sys.executable, 'PROGRAM').replace(here, 'HERE')
        return [escape(line) for line in text.split('\n')]
    return done.returncode, lines(done.stdout), lines(done.stderr)


def write(out, c, here):
    status, stdout, stderr = run(c, here)
    print(f"case {escape(c['name'])}", file=out)
    for key in ('args', 'files', 'folders', 'env', 'closed', 'full'):
        for item in c[key]:
            item = item if isinstance(item, tuple) else (str(item),)
            print(key.removesuffix('s'), ' '.join(escape(i) for i in item), file=out)
    if c['stdin']:
        print('stdin', escape(c['stdin']), file=out)
    print(f'status {status}', file=out)
    if c['last']:
        for key, lines in ('outlast', stdout), ('last', stderr):
            print(key, ([line for line in lines if line] or [''])[-1], file=out)
    else:
        for key, lines in ('out', stdout), ('err', stderr):
            for line in lines:
                print(key, line, file=out)
    print(file=out)


def main():
    with open(os.path.join(os.path.dirname(__file__), 'expected.txt'), 'w', encoding='latin-1') as out:
        print('# @generated by record.py', file=out)
        for c in CASES:
            with tempfile.TemporaryDirectory() as here:
                write(out, c, os.path.realpath(here))


if __name__ == '__main__':
    main()
