//! The values of `Constant` and `MatchSingleton`.
use krait_object::builtin_types::{FLOAT, INT};
use krait_object::{Bytes, FrozenSet, PyResult, Str, Tuple, Value};
use krait_runtime::types::complex;
use krait_syntax::ast::Constant;

use super::{Reader, wtf8};

impl Reader<'_> {
    pub(super) fn constant(&mut self, v: &Value) -> PyResult<Constant> {
        let mut wrong = None;
        match self.constant_at(v, &mut wrong)? {
            Some(c) => Ok(c),
            None => {
                let class = wrong.as_ref().unwrap_or(v).class().name();
                self.type_error(format!("got an invalid type in Constant: {class}"))
            }
        }
    }
    /// `None` where a value is no constant: the innermost such one goes to `wrong`.
    fn constant_at(&mut self, v: &Value, wrong: &mut Option<Value>) -> PyResult<Option<Constant>> {
        self.th.check_native(" during compilation")?;
        if v.is_none() {
            return Ok(Some(Constant::None));
        }
        if v.is(&Value::ELLIPSIS) {
            return Ok(Some(Constant::Ellipsis));
        }
        if let Some(b) = v.as_bool() {
            return Ok(Some(Constant::Bool(b)));
        }
        if v.is_exact(&INT) {
            return Ok(v.as_int_ref().map(|i| Constant::from_bigint(i.to_bigint())));
        }
        if v.is_exact(&FLOAT) {
            return Ok(v.to_f64().map(Constant::Float));
        }
        if v.is_exact(&complex::COMPLEX) {
            return Ok(complex::parts(v).map(|(real, imag)| Constant::Complex { real, imag }));
        }
        if let Some(s) = v.downcast_exact::<Str>() {
            return Ok(Some(Constant::Str(wtf8(s))));
        }
        if let Some(b) = v.downcast_exact::<Bytes>() {
            return Ok(Some(Constant::Bytes(b.as_slice().into())));
        }
        if let Some(t) = v.downcast_exact::<Tuple>() {
            return Ok(self.constants(t, wrong)?.map(Constant::Tuple));
        }
        if let Some(s) = v.downcast_exact::<FrozenSet>() {
            return Ok(self.constants(&s.0.to_vec(), wrong)?.map(Constant::FrozenSet));
        }
        *wrong = Some(v.clone());
        Ok(None)
    }
    fn constants(&mut self, items: &[Value], wrong: &mut Option<Value>) -> PyResult<Option<Vec<Constant>>> {
        let mut out = Vec::with_capacity(items.len());
        for v in items {
            match self.constant_at(v, wrong)? {
                Some(c) => out.push(c),
                None => return Ok(None),
            }
        }
        Ok(Some(out))
    }
}
