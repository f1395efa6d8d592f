//! A program with its rules in Python: the script is given functions and a class of the program, and limits.
//!
//!     cargo run --example rules
use std::time::Duration;

use krait_embed::{Class, Error, Interpreter, Module};

const RULES: &str = "
from shop import Basket, log

def discount(basket: Basket) -> int:
    if basket.total >= 100:
        log(f'{basket.total} is enough for a discount')
        return basket.total // 10
    return 0

basket = Basket('Ada')
for price in (30, 45, 50):
    basket.add(price)
result = discount(basket)
";

struct Basket {
    owner: String,
    prices: Vec<i64>,
}

fn main() -> Result<(), Error> {
    let mut interpreter = Interpreter::builder().time_limit(Duration::from_secs(2)).memory_limit(64 << 20).build()?;
    let mut py = interpreter.python();
    let basket = Class::new("Basket", |py, args| Ok(Basket { owner: args.get(py, 0)?, prices: Vec::new() }))
        .method("add", |basket: &mut Basket, py, args| {
            basket.prices.push(args.get(py, 0)?);
            Ok(())
        })
        .getter("owner", |basket, _| Ok(basket.owner.clone()))
        .getter("total", |basket, _| Ok(basket.prices.iter().sum::<i64>()));
    py.add_module(Module::new("shop").class(basket).function("log", |py, args| {
        println!("rules: {}", args.get::<String>(py, 0)?);
        Ok(())
    }))?;

    if let Err(error) = py.run_named(RULES, "rules.py") {
        eprint!("{}", error.traceback(&mut py)?);
        return Err(error);
    }
    println!("discount: {}", py.eval("result")?.extract::<i64>(&mut py)?);

    if let Err(error) = py.run("x = []\nwhile True: x.append('spam' * 1000)") {
        println!("a rule that wants everything gets {error}");
    }
    Ok(())
}
