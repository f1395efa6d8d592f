//! What a Rust program learns of a Python exception.
use krait_embed::Interpreter;

#[test]
fn errors_carry_what_python_shows() {
    let mut interpreter = Interpreter::new().unwrap();
    let mut py = interpreter.python();
    let error = py.run_named("def f():\n    return 1 / 0\nf()\n", "sums.py").unwrap_err();
    assert!(error.is("ArithmeticError") && error.class_name() == "ZeroDivisionError");
    let text = error.traceback(&mut py).unwrap();
    assert!(text.contains("File \"sums.py\", line 2, in f") && text.ends_with("ZeroDivisionError: division by zero\n"));
}
