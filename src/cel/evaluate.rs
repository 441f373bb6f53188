//! Evaluation: an expression and what its names are bound to.

use std::panic::{self, AssertUnwindSafe};

use cel::{Context, ExecutionError, objects::Value as Engine};

use super::{Expression, Value, library::engine};

/// Longest reason why an evaluation failed, in characters.
const MAX_REASON: usize = 200;

/// What the names of expressions are bound to. Made once for a product, and used by every expression.
pub struct Bindings<'p>(Context<'p, 'static>);

impl Bindings<'static> {
    /// No names.
    pub fn new() -> Result<Self, String> {
        Ok(Self(Context::with_env(engine()?)))
    }
}

impl Bindings<'_> {
    /// Binds a name.
    pub fn bind(&mut self, name: &str, value: Value) {
        self.0.add_variable_as_val(name, value.0);
    }

    /// The same names, and some more that are forgotten with it.
    pub fn scope(&self) -> Bindings<'_> {
        Bindings(self.0.new_inner_scope())
    }
}

impl Expression {
    /// Evaluates it. An error says in words why there is no value.
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Value, String> {
        let evaluate = |bindings: &Bindings<'_>| {
            Engine::resolve_val(&self.tree, &bindings.0).map(cel::common::value::CowVal::into_owned)
        };
        let value = guarded(|| {
            if self.patterns.is_empty() {
                return evaluate(bindings);
            }
            let mut scope = bindings.scope();
            for (name, pattern) in &self.patterns {
                scope.0.add_variable_as_val(name, Box::new(pattern.clone()));
            }
            evaluate(&scope)
        });
        value?.map(Value).map_err(|error| reason(&error))
    }
}

/// Lets the engine work. Where it panics, which is a mistake of its own, whoever wrote the expression reads so, and the
/// products of others are judged all the same.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        "the engine failed; please report the expression, and write it in another way".to_owned()
    })
}

/// Why an evaluation failed, without the values that it was about: they may be large, and they may be nobody's business.
fn reason(error: &ExecutionError) -> String {
    let reason = match error {
        ExecutionError::NoSuchKey(key) => format!("there is no {key}; ask has(...) before reading it"),
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::UndeclaredReference(name) => format!("{name} is not known"),
        ExecutionError::FunctionError { function, message } => format!("{function}: {message}"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "division by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a number is out of range".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list has no element at this place".to_owned(),
        ExecutionError::DuplicateKey(_) => "a map has the same key twice".to_owned(),
        ExecutionError::UnexpectedType { got, want } => format!("{got} was found where {want} is wanted"),
        ExecutionError::ValuesNotComparable(..) => "two values have no order".to_owned(),
        _ => "two values do not go together".to_owned(),
    };
    reason.chars().take(MAX_REASON).collect()
}
