//! How many evaluations of rules a second: the seven rules of the reference, judged in several ways on the same products.
//!
//! `make bench` runs it. Every comparison is made of pairs that take turns, so that whatever else the machine does meets both
//! sides; printed are the medians and how far the rounds lie apart. `benches/README.md` says what was measured.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a bench")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "../../tests/governance/any.rs"]
mod any;
mod ordinary;
mod ours;
mod python;
mod rego;
mod worst;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use dataproduct_operator::api::{DataProduct, DataProductSpec};
use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rules that every side evaluates on each product.
const RULES: u32 = 7;
/// Products that are judged again and again.
const PRODUCTS: usize = 500;
/// Pairs of rounds of each comparison.
const PAIRS: usize = 7;
/// How long a round lasts at least.
const ROUND: Duration = Duration::from_millis(400);

/// One way to judge. Each call is one round; it gives evaluations of rules a second.
type Side<'a> = (&'a str, Box<dyn FnMut() -> f64 + 'a>);

fn main() {
    worst::print();
    let products = products();
    let builtin = || side("built-in rules", &products, ours::builtin());
    let written = || side("user CEL", &products, ours::written());
    match python::start(&products) {
        Ok(python) => compare("a", builtin(), ("the reference's Python", python), 20.0),
        Err(reason) => println!("a  skipped: {reason}"),
    }
    compare("b", written(), side("cel, context from JSON", &products, ordinary::plain()), 5.0);
    compare("b2", written(), side("the same, functions kept", &products, ordinary::kept()), 0.0);
    compare("c", builtin(), side("Rego by regorus", &products, rego::engine()), 0.0);
    compare("d", written(), side("Rego by regorus", &products, rego::engine()), 0.0);
}

/// A way to judge that counts how many rules a product breaks.
fn side<'a>(
    name: &'a str,
    products: &'a [DataProduct],
    mut judge: impl FnMut(&DataProduct) -> usize + 'a,
) -> Side<'a> {
    let round = move || {
        let begin = Instant::now();
        let mut judged = 0_u32;
        while begin.elapsed() < ROUND {
            for product in products {
                black_box(judge(product));
                judged += 1;
            }
        }
        f64::from(judged * RULES) / begin.elapsed().as_secs_f64()
    };
    (name, Box::new(round))
}

/// Prints both sides and how many times faster the first one is. A wanted ratio of zero means that none is.
fn compare(letter: &str, mut one: Side<'_>, mut other: Side<'_>, wanted: f64) {
    // The first round of each only warms up.
    (one.1)();
    (other.1)();
    let pairs: Vec<_> = (0..PAIRS).map(|_| ((one.1)(), (other.1)())).collect();
    let first = Spread::of(pairs.iter().map(|pair| pair.0));
    let second = Spread::of(pairs.iter().map(|pair| pair.1));
    let ratio = Spread::of(pairs.iter().map(|pair| pair.0 / pair.1));
    println!("{letter:<2} {:<26} {first:>12.0} evaluations/s", one.0);
    println!("{letter:<2} {:<26} {second:>12.0} evaluations/s", other.0);
    let verdict = match wanted {
        0.0 => String::new(),
        wanted if ratio.median >= wanted => format!("  (at least {wanted} is wanted: yes)"),
        wanted => format!("  (at least {wanted} is wanted: NO)"),
    };
    println!("{letter:<2} {:<26} {ratio:>12.1} times{verdict}", "ratio");
}

/// What rounds gave: the one in the middle, the smallest and the greatest.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.collect();
        values.sort_by(f64::total_cmp);
        Self { median: values[values.len() / 2], least: values[0], most: values[values.len() - 1] }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = f.precision().unwrap_or(1);
        let width = f.width().unwrap_or(1);
        write!(f, "{:>width$.places$} ({:.places$} to {:.places$})", self.median, self.least, self.most)
    }
}

/// The same products in every run: all that the seven rules read varies, and half of the products are complete.
fn products() -> Vec<DataProduct> {
    let text =
        prop_oneof![Just(None), Just(Some("Something".to_owned())), Just(Some("Something else".to_owned()))];
    // No leading zeros, which Rego takes for no number.
    let percentage =
        select(&["0%", "98.99%", "98.999999%", "99%", "99.9%", "100%"][..]).prop_map(str::to_owned);
    let parts = (any::schema(text), any::slo(percentage), any::access());
    let product = parts.prop_map(|(schema, slo, access)| {
        let (domain, version) = ("customer".to_owned(), "1.0.0".to_owned());
        let spec = DataProductSpec { domain, version, schema, slo, access, ..DataProductSpec::default() };
        DataProduct::new("any", spec)
    });
    let mut runner = TestRunner::deterministic();
    let complete: DataProduct =
        serde_saphyr::from_str(include_str!("../../examples/customer-360.yaml")).expect("an example");
    (0..PRODUCTS)
        .map(|number| match number % 2 {
            0 => product.new_tree(&mut runner).expect("a product").current(),
            _ => complete.clone(),
        })
        .collect()
}
