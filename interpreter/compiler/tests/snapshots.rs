//! Source to disassembly, one snapshot per construct. `INSTA_UPDATE=always` accepts what was read and found right.

use std::sync::Arc;

use krait_bytecode::stored::Store;
use krait_bytecode::{CodeObject, Const, marshal, verify};
use krait_compiler::{CompileOptions, compile};
use krait_syntax::{Mode, ParseOptions, parse};

fn verify_all(code: &CodeObject) {
    if let Err((word, msg)) = verify::verify(code) {
        panic!("{} at {word}: {msg}\n{code}", code.qualname);
    }
    for constant in &code.consts {
        if let Const::Code(inner) = constant {
            verify_all(inner);
        }
    }
}

/// Code with all that is nested in it, which was left unread.
fn all_read(mut code: CodeObject) -> CodeObject {
    for constant in &mut code.consts {
        let nested = match constant {
            Const::Stored(stored) => stored.read().expect("what was stored is read"),
            Const::Code(code) => CodeObject::clone(code),
            _ => continue,
        };
        *constant = Const::Code(Arc::new(all_read(nested)));
    }
    code
}

fn disassembly(source: &str) -> String {
    let parsed = parse(source.as_bytes(), &ParseOptions::new(Mode::Exec)).expect("the source parses");
    let compiled = compile(&parsed.module, "<test>", &CompileOptions::default()).expect("the source compiles");
    verify_all(&compiled.code);
    let stored = marshal::dump(&compiled.code);
    let loaded = marshal::load(&stored).expect("what was stored is read");
    assert_eq!(compiled.code.to_string(), loaded.to_string());
    assert_eq!(marshal::dump(&loaded), stored);
    let store: Store = Arc::new([b"before".as_slice(), &stored].concat());
    let outer = marshal::load_outer(&store, 6, marshal::Origin::Foreign).expect("what was stored is read");
    assert_eq!(marshal::dump(&outer), stored);
    assert_eq!(all_read(outer).to_string(), loaded.to_string());
    // Only functions are shown if there are any: the module around them says little.
    let inner: Vec<String> = compiled
        .code
        .consts
        .iter()
        .filter_map(|constant| match constant {
            Const::Code(code) => Some(code.to_string()),
            _ => None,
        })
        .collect();
    let shown = if inner.is_empty() { compiled.code.to_string() } else { inner.join("\n") };
    format!("{}\n\n{shown}", source.trim())
}

macro_rules! snapshots {
    ($($name:ident: $source:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), disassembly($source));
            });
        })*
    };
}

snapshots! {
    arithmetic: "def f(a, b):\n    c = a + b * 2 - (1 + a)\n    c += -a\n    return c ** b % 3\n";
    borrowed_and_checked: "def f(a):\n    if a:\n        x = 1\n    return x + a(x)\n";
    walrus_copies: "def f(x):\n    return x + (x := 2) * x\n";
    comparisons: "def f(a, b, c):\n    x = a < b <= g(c) != 1\n    if a < 3 and b is not None or not c in (1, 2):\n        return x\n    return 0 < a() < b() < c()\n";
    membership: "def f(a, b):\n    return a in [b, 1] == [1, 2] or a not in [a, b]\n";
    assignment_clauses: "def f(a):\n    return [y for x in a for y in [x + 1] if y]\n";
    bool_values: "def f(a, b):\n    return a and b() or a.x if b else [a]\n";
    loops: "def f(n):\n    t = 0\n    for i in range(n):\n        if i % 2:\n            continue\n        while t < i:\n            t += 1\n            if t == 7:\n                break\n        else:\n            return t\n    return [i for i, _ in n]\n";
    calls: "def f(g, *args, **kw):\n    g(1, k=args)\n    g.m(g(2), *args, x=1, **kw)\n    g.n(3).o(a=4)\n    return g(*args)\n";
    classes: "@d\nclass A(B, metaclass=M):\n    '''doc'''\n    x: int = 1\n    def m(self):\n        self.y = __class__\n        return super().m(self)\n";
    try_except: "def f():\n    try:\n        g()\n    except (A, B) as e:\n        h(e)\n    except C:\n        return 1\n    else:\n        i()\n    finally:\n        j()\n";
    try_star: "def f():\n    try:\n        g()\n    except* A as e:\n        h(e)\n    except* B:\n        pass\n";
    return_through_finally: "def f(x):\n    for i in x:\n        try:\n            return i\n        finally:\n            if g():\n                continue\n";
    with_block: "def f(a):\n    with a() as x, a.b:\n        return x\n";
    async_code: "async def f(a):\n    async with a as b:\n        async for i in b:\n            await i\n    return [j async for j in a]\n";
    generators: "def f(a):\n    x = yield a\n    y = yield from x\n    return (i + y for i in x)\n";
    closures: "def f(a):\n    b = a\n    def g(c=b):\n        nonlocal b\n        b += a\n        return lambda: (b, c)\n    return g\n";
    comprehension_shadows: "def f(x):\n    y = [x for x in x if x]\n    return {x: (lambda: x) for x in y}\n";
    class_comprehension: "class A:\n    x = 1\n    y = [x for z in x]\n";
    matching: "def f(s):\n    match s:\n        case [1, x, *r] if x:\n            return r\n        case {'a': b, **rest}:\n            return b, rest\n        case P(x, y=(1 | 2) as z) | Q(x, z):\n            return x\n        case None:\n            pass\n";
    unpacking: "def f(a):\n    x, (y, *z) = a\n    x, y = y, x\n    a.b, a[0] = x = z\n    del a[1:2], x\n    a[1:2] += z\n    return (*x, 1), {**x, 'k': 1}\n";
    strings: "def f(a):\n    return f'{a!r:>{a.w}} x {a}' + f'{a}'\n";
    imports: "import a.b, c.d as e\nfrom .m import x as y, z\nfrom q import *\n";
    generic: "class A[T: int = str](B):\n    def f[U](self, x: T = 1) -> U: pass\ntype X[T] = list[T]\n";
    constants: "x = (1, 'a', 2 * 3.0)\ny = [1, 2, 3]\nz = 1 in {1, 2}\nif __debug__:\n    w = -1\nif 0:\n    dead()\n";
    asserts: "def f(a):\n    assert a, 'no'\n    global g\n    g = a\n    del g\n";
}

#[test]
fn long_jumps_and_many_names() {
    let body: String = (0..20_000).map(|index| format!("        a{index}.b{index} = x\n")).collect();
    let source = format!("def f(x):\n    while x:\n        if x: break\n{body}    return 1\n");
    disassembly(&source);
    let names: String = (0..70_000).map(|index| format!("a{index}.b{index} = c{index}.m()\n")).collect();
    disassembly(&names);
}

#[test]
fn depth_is_an_error() {
    for source in [format!("x = {}a", "not ".repeat(4000)), format!("x = a{}", "()".repeat(9000))] {
        let parsed = parse(source.as_bytes(), &ParseOptions::new(Mode::Exec)).expect("the source parses");
        let options = CompileOptions { stack_budget: 200_000, ..CompileOptions::default() };
        let error = compile(&parsed.module, "<test>", &options).expect_err("too deep");
        assert_eq!(error.msg, "maximum recursion depth exceeded during compilation");
    }
}
