//! `posix_spawn` and `posix_spawnp`.
use krait_object::native::function;
use krait_object::{Args, Method, PyResult, Thread, Tuple, Value};
use krait_platform::path as platform;
use krait_platform::process::spawn::{Attributes, FileAction, posix_spawn};
use krait_runtime::audit::audit;
use krait_runtime::errors::type_error;
use krait_runtime::protocol::{number, sequence};

use super::exec::{arguments, environment};
use super::sched;
use crate::_signal::signal_set;
use crate::arguments::{Accept, flag, fs_string, path};

macro_rules! signature {
    () => {
        "(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=<unrepresentable>)"
    };
}
pub(super) static FUNCTIONS: &[Method] = &[
    function("posix_spawn", signature!(), "Start a program in a new process; its number.", |th, a| {
        spawn(th, a, "posix_spawn", false)
    }),
    function(
        "posix_spawnp",
        signature!(),
        "Start a program, looked for in PATH, in a new process; its number.",
        |th, a| spawn(th, a, "posix_spawnp", true),
    ),
];
fn spawn(th: &mut Thread, a: &Args<'_>, name: &'static str, search: bool) -> PyResult<Value> {
    let p = path(th, a.opt(0), Accept::path(name))?;
    let argv = arguments(th, &a[1], &format!("{name}: argv"))?;
    let env = if a[2].is_none() {
        platform::environment().into_iter().filter_map(|e| platform::c_string(&e)).collect()
    } else {
        environment(th, &a[2], &format!("{name}: environment must be a mapping object or None"))?
    };
    let actions = match a.opt_not_none(3) {
        None => Vec::new(),
        Some(v) => file_actions(th, v)?,
    };
    let attributes = Attributes {
        group: a.opt(4).map(|g| number::to_i32(th, g)).transpose()?,
        reset_ids: flag(th, a.opt(5), false)?,
        new_session: flag(th, a.opt(6), false)?,
        mask: a.opt(7).map(|s| signal_set(th, s)).transpose()?.filter(|s| !s.is_empty() || a.opt(7).is_some()),
        defaults: a.opt(8).map(|s| signal_set(th, s)).transpose()?,
        scheduler: match a.opt_not_none(9) {
            None => None,
            Some(v) => Some(scheduler(th, v, name)?),
        },
    };
    audit(th, "os.posix_spawn", &[p.object.clone(), a[1].clone(), a[2].clone()])?;
    match posix_spawn(p.path(), search, &argv, &env, &actions, &attributes) {
        Ok(pid) => Ok(pid.into()),
        Err(e) => Err(p.error(th, e)),
    }
}
fn scheduler(th: &mut Thread, v: &Value, name: &str) -> PyResult<(Option<i32>, i32)> {
    let pair = v.downcast_ref::<Tuple>().and_then(|t| <[Value; 2]>::try_from(t.to_vec()).ok());
    let Some([policy, param]) = pair else {
        return Err(type_error(th, format!("{name}: scheduler must be a tuple or None")));
    };
    let policy = if policy.is_none() { None } else { Some(number::to_i32(th, &policy)?) };
    Ok((policy, sched::priority(th, &param)?))
}
fn file_actions(th: &mut Thread, v: &Value) -> PyResult<Vec<FileAction>> {
    let mut out = Vec::new();
    for item in sequence::to_items(th, v, "file_actions must be a sequence or None")? {
        let Some(parts) = item.downcast_ref::<Tuple>().filter(|t| !t.is_empty()).map(|t| t.to_vec()) else {
            return Err(type_error(th, "Each file_actions element must be a non-empty tuple"));
        };
        let kind = number::to_i32(th, &parts[0])?;
        out.push(match (kind, &parts[1..]) {
            (0, [fd, path, flags, mode]) => FileAction::Open {
                fd: number::to_i32(th, fd)?,
                path: fs_string(th, path)?,
                flags: number::to_i32(th, flags)?,
                mode: number::to_masked(th, mode, 32)? as u32,
            },
            (1, [fd]) => FileAction::Close(number::to_i32(th, fd)?),
            (2, [from, to]) => FileAction::Dup2(number::to_i32(th, from)?, number::to_i32(th, to)?),
            (3, [fd]) => FileAction::CloseFrom(number::to_i32(th, fd)?),
            (0..=3, _) => {
                let wanted = [
                    "A open file_action tuple must have 5 elements",
                    "A close file_action tuple must have 2 elements",
                    "A dup2 file_action tuple must have 3 elements",
                    "A closefrom file_action tuple must have 2 elements",
                ];
                return Err(type_error(th, wanted[kind as usize]));
            }
            _ => return Err(type_error(th, "Unknown file_actions identifier")),
        });
    }
    Ok(out)
}
