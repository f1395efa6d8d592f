//! CPython's suite as a test program: one trial per module, judged against the expectations.
//!
//!     cargo test -p conformance --test cpython [-- FILTER]
//!
//! The subject is `$KRAIT_SUBJECT`, else the `krait` of the profile's folder.

use std::process::ExitCode;
use std::sync::Arc;

use conformance::expectations;
use conformance::gate;
use conformance::record::{ModuleResult, Results};
use conformance::run::{Session, Sides};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let sides = Sides { reference: "auto".to_owned(), ..Sides::default() };
    let session = match Session::open(&sides) {
        Ok(session) => Arc::new(session),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let modules = session.suite.lists.values().flatten().map(|(module, _)| module.clone());
    let trials = modules
        .map(|module| {
            let session = Arc::clone(&session);
            Trial::test(module.clone(), move || trial(&session, &module))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(session: &Session, module: &str) -> Result<(), Failed> {
    let reference = session.reference_result(module, "run")?.ok_or("interrupted")?;
    let records = session.subject_records(module, "trial", &reference, None)?.ok_or("interrupted")?;
    let reference = Results::from([(module.to_owned(), reference)]);
    let subject = Results::from([(module.to_owned(), ModuleResult::from_records(records))]);
    let outcome = gate::check(&expectations::folder(), &reference, &subject, |_, _| true);
    if outcome.exit_code(false) == 0 { Ok(()) } else { Err(gate::text(&outcome, 20).into()) }
}
