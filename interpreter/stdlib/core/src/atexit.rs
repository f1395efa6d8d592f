//! `atexit`: functions called at the interpreter's end.
use krait_object::native::function;
use krait_object::{Args, Locked, Method, ModuleDef, PyResult, Raised, Thread, Value};
use krait_runtime::errors::{take, type_error, write_unraisable_message};
use krait_runtime::protocol::{call, compare, repr};

/// One registered call: function, positional values then keyword values, names.
type Entry = (Value, Vec<Value>, Vec<Value>);
#[derive(Default)]
struct Registry(Locked<Vec<Option<Entry>>>);

pub static MODULE: ModuleDef = ModuleDef {
    doc: "allow programmer to define multiple exit functions to be executed\nupon normal program termination.",
    functions: FUNCTIONS,
    ..ModuleDef::new("atexit")
};
static FUNCTIONS: &[Method] = &[
    function(
        "register",
        "(func, /, *args, **kwargs)",
        "register(func, *args, **kwargs) -> func\n\nRegister a function to be executed upon normal program termination",
        |th, a: &Args<'_>| {
            let [f, args @ ..] = a.pos() else {
                return Err(type_error(th, "register() takes at least 1 argument (0 given)"));
            };
            if !call::is_callable(f) {
                return Err(type_error(th, "the first argument must be callable"));
            }
            let mut values = args.to_vec();
            values.extend(a.kw().map(|(_, v)| v.clone()));
            th.interp.extension::<Registry>().0.lock().push(Some((f.clone(), values, a.names().to_vec())));
            Ok(f.clone())
        },
    )
    .raw(),
    function("_clear", "()", "Clear the list of previously registered exit functions.", |th, _| {
        let old = std::mem::take(&mut *th.interp.extension::<Registry>().0.lock());
        drop(old);
        Ok(Value::NONE)
    }),
    function(
        "unregister",
        "(func, /)",
        "Unregister an exit function which was previously registered using atexit.register",
        unregister,
    ),
    function("_run_exitfuncs", "()", "Run all registered exit functions.", |th, _| {
        run(th);
        Ok(Value::NONE)
    }),
    function("_ncallbacks", "()", "Return the number of registered exit functions.", |th, _| {
        let n = th.interp.extension::<Registry>().0.lock().iter().flatten().count();
        Ok(Value::from(n))
    }),
];

fn unregister(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let registry = th.interp.extension::<Registry>();
    let mut i = 0;
    loop {
        let f = match registry.0.lock().get(i) {
            None => break,
            Some(entry) => entry.as_ref().map(|e| e.0.clone()),
        };
        if let Some(f) = f
            && compare::eq(th, &f, &a[0])?
        {
            let old = registry.0.lock().get_mut(i).and_then(Option::take);
            drop(old);
        }
        i += 1;
    }
    Ok(Value::NONE)
}
/// Runs and forgets the registered calls, last first; errors are unraisable.
pub fn run(th: &mut Thread) {
    let registry = th.interp.extension::<Registry>();
    loop {
        let last = registry.0.lock().pop();
        match last {
            None => break,
            Some(None) => {}
            Some(Some((f, values, names))) => {
                if let Err(raised) = call::call_kw(th, &f, &values, &names) {
                    ignore(th, raised, &f);
                }
            }
        }
    }
}
fn ignore(th: &mut Thread, raised: Raised, f: &Value) {
    let exception = take(th, raised);
    let message = match repr::repr(th, f) {
        Ok(shown) => format!("Exception ignored in atexit callback {shown}"),
        Err(raised) => {
            drop(take(th, raised));
            "Exception ignored in atexit callback".to_owned()
        }
    };
    th.exc = Some(exception);
    write_unraisable_message(th, Some(&message), None);
}
