//! Several interpreters in one process, one after another and side by side; what they share is nothing that Python code
//! can change. One test, as all interpreters of a process are on one thread.
use krait_embed::{Interpreter, Object};

#[test]
fn interpreters_are_apart() {
    let mut first = Interpreter::new().expect("the first interpreter");
    let mut second = Interpreter::builder().argv(["second"]).recursion_limit(150).build().expect("the second");

    first
        .python()
        .run("import json, sys\njson.mark = 1\nsys.mark = 1\nx = 1\nimport builtins\nbuiltins.mark = 1")
        .unwrap();
    let mut py = second.python();
    py.run("import json, sys, builtins").unwrap();
    for name in ["json", "sys", "builtins"] {
        let seen: bool = py.eval(&format!("hasattr({name}, 'mark')")).unwrap().extract(&mut py).unwrap();
        assert!(!seen, "{name} is shared");
    }
    assert!(py.global("x").unwrap().is_none());
    assert!(py.run("def f(n): return n and f(n - 1)\nf(160)").unwrap_err().is("RecursionError"));

    let mut py = first.python();
    py.run("def f(n): return n and f(n - 1)\nf(160)").unwrap();
    let argv: Vec<String> = py.eval("sys.argv").unwrap().extract(&mut py).unwrap();
    assert_eq!(argv, [""]);

    // The collector: objects, classes, switches, figures.
    py.run("class Mine(dict): pass\nclass Looped: pass\nkept = Mine()\ngc_threshold = __import__('gc').set_threshold(5, 5, 5)").unwrap();
    py.run("import gc\ngc.disable()\nfor _ in range(100):\n    o = Looped()\n    o.self = o\ndel o").unwrap();
    let mut other = second.python();
    other.run("import gc\nnames = [c.__name__ for c in dict.__subclasses__()]").unwrap();
    other
        .run("assert 'Mine' not in names, names\nassert gc.isenabled() and gc.get_threshold() == (2000, 10, 10)")
        .unwrap();
    other
        .run("assert not any(type(o).__name__ in ('Mine', 'Looped') for o in gc.get_objects())\ngc.collect()")
        .unwrap();
    let mut py = first.python();
    py.run("assert sum(type(o) is Looped for o in gc.get_objects()) == 100\nassert gc.get_threshold() == (5, 5, 5)")
        .unwrap();
    py.run("assert gc.collect() >= 100 and 'Mine' in [c.__name__ for c in dict.__subclasses__()]\ngc.enable()")
        .unwrap();

    // Threads: an idle interpreter that was moved meanwhile is not looked at.
    let mut first = Box::new(first);
    second.python().run("import sys, faulthandler\nassert len(sys._current_frames()) == 1").unwrap();
    second.python().run("with open('/dev/null', 'w') as f: faulthandler.dump_traceback(f, all_threads=True)").unwrap();
    let mut py = first.python();

    // Finalisers of one run while the other goes on.
    let log = py.function("log", |_, _| Ok(Object::none()));
    py.set_global("log", log).unwrap();
    py.run("class D:\n    def __del__(self): log()\nd = D()\nimport gc\ngc.collect()").unwrap();
    drop(first);
    second.python().run("assert sum(range(10)) == 45\nimport gc\ngc.collect()").unwrap();

    // Interpreters that Python code makes belong to the one that made them, and end with it.
    let mut maker = Interpreter::new().expect("one that makes others");
    let mut py = maker.python();
    py.run("import _interpreters\nother = _interpreters.create()\nleft = _interpreters.create()").unwrap();
    py.run("assert _interpreters.exec(other, 'x = 1\\nassert __name__ == \"__main__\"') is None").unwrap();
    py.run("e = _interpreters.exec(other, 'assert x == 2')\nassert e.type.__name__ == 'AssertionError'").unwrap();
    py.run("_interpreters.set___main___attrs(other, {'y': (1, 'two')})\nassert 'y' not in globals()").unwrap();
    py.run("assert _interpreters.exec(other, 'assert y == (1, \"two\")') is None\n_interpreters.destroy(other)")
        .unwrap();
    let left: i64 = py.eval("left").unwrap().extract(&mut py).unwrap();
    drop(maker);
    let mut py = second.python();
    py.set_global("left", left).unwrap();
    py.run("import _interpreters\nassert left not in [i for i, _ in _interpreters.list_all()]").unwrap();
    let mut limited = Interpreter::builder().memory_limit(1 << 30).build().expect("one with limits");
    assert!(limited.python().run("import _interpreters\n_interpreters.create()").is_err(), "limits cannot be escaped");
    drop(limited);

    let refused = std::thread::spawn(|| Interpreter::new().is_err()).join().unwrap();
    assert!(refused, "another thread makes no interpreter");
    drop(second);
    let mut third = Interpreter::new().expect("the third");
    assert_eq!(third.python().eval("1 + 1").unwrap().extract::<i64>(&mut third.python()).unwrap(), 2);
}
