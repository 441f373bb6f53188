//! From text to an expression that is known to be small, of the right type, and bounded in its work.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use cel::{IdedExpr, ParseErrors, common::ast::SourceInfo};

use super::{check::Checker, evaluate::guarded, library::engine, pattern::Pattern, shape, types::Type};

/// Longest text of an expression, in bytes.
pub const MAX_SOURCE: usize = 2048;
/// How deeply the parts of an expression may be nested.
pub const MAX_DEPTH: usize = 32;
/// What the evaluation of an expression may cost at worst: one unit is a step, or ten characters that are looked at. The
/// figure is that of Kubernetes for one expression of a definition or an admission policy.
pub const MAX_COST: u64 = 10_000_000;
/// Longest message of a fault, in characters.
const MAX_MESSAGE: usize = 400;

/// What an expression may name, and of what type it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declarations(BTreeMap<String, Type>);

impl Declarations {
    /// The same, and one more name.
    #[must_use]
    pub fn with(mut self, name: &str, type_: Type) -> Self {
        self.0.insert(name.to_owned(), type_);
        self
    }

    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.0.get(name)
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong, what is allowed and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl Fault {
    /// A fault at an offset of the text, in characters.
    pub(super) fn at(source: &str, offset: usize, message: &str) -> Self {
        let before = source.chars().take(offset);
        let (line, column) = before.fold((1, 1), |(line, column), character| match character {
            '\n' => (line + 1, 1),
            _ => (line, column + 1),
        });
        Self { line, column, message: message.chars().take(MAX_MESSAGE).collect() }
    }
}

/// An expression that is ready to be evaluated.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Its text.
    pub source: String,
    /// What it gives.
    pub type_: Type,
    /// What its evaluation costs at worst.
    pub cost: u64,
    /// What it reads, as paths from a declared name: `["object", "spec", "slo"]`. A path stands for all that is below it.
    pub reads: BTreeSet<Vec<String>>,
    pub(super) tree: IdedExpr,
    /// The patterns that stand in it, by the names under which it finds them.
    pub(super) patterns: BTreeMap<String, Pattern>,
}

/// Expressions are the same when they have the same text and read and give the same.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.type_ == other.type_ && self.reads == other.reads
    }
}

impl Expression {
    /// Compiles a text that gives a value of the wanted type.
    pub fn compile(source: &str, declared: &Declarations, wanted: &Type) -> Result<Self, Fault> {
        let expression = Self::of_any_type(source, declared)?;
        if expression.type_.fits(wanted) {
            return Ok(expression);
        }
        Err(Fault::at(
            source,
            0,
            &format!("the expression gives {}; here it must give {wanted}", expression.type_),
        ))
    }

    /// Whether it calls a function of a name.
    pub fn calls(&self, function: &str) -> bool {
        self.tree.references().has_function(function)
    }

    /// Compiles a text, whatever it gives.
    pub fn of_any_type(source: &str, declared: &Declarations) -> Result<Self, Fault> {
        let fault = |message: &str| Fault::at(source, 0, message);
        if source.len() > MAX_SOURCE {
            return Err(fault(&format!(
                "the expression has {} bytes; at most {MAX_SOURCE} are allowed; divide it into variables",
                source.len()
            )));
        }
        shape::check(source).map_err(|(offset, message)| Fault::at(source, offset, &message))?;
        let engine = engine().map_err(|error| fault(&format!("the functions cannot be loaded: {error}")))?;
        let parsed = guarded(|| engine.parser().parse_with_source_info(source));
        let parsed = parsed.map_err(|reason| fault(&reason))?;
        let (mut tree, info) = parsed.map_err(|errors| syntax(source, &errors))?;
        let mut checker = Checker::new(declared, source, &info);
        let (type_, cost) = checker.check(&mut tree)?;
        if cost.0 > MAX_COST {
            return Err(fault(&format!(
                "the expression may cost {} at worst; at most {MAX_COST} is allowed; compare fewer lists with each \
                 other, or shorter texts",
                if cost.0 == u64::MAX { "more than can be counted".to_owned() } else { cost.0.to_string() }
            )));
        }
        let Checker { reads, patterns, .. } = checker;
        Ok(Self { source: source.to_owned(), type_, cost: cost.0, reads, tree, patterns })
    }
}

/// The first error of the parser, in words without its internals.
fn syntax(source: &str, errors: &ParseErrors) -> Fault {
    let first = errors.errors.iter().find(|error| error.pos.0 > 0).or(errors.errors.first());
    let Some(first) = first else {
        return Fault::at(source, 0, "the expression cannot be read");
    };
    let message = format!("this is no expression: {}", first.msg.trim_start_matches("Syntax error: "));
    let (line, column) = first.pos;
    let place = |number: isize| usize::try_from(number).unwrap_or(0).max(1);
    let message = message.chars().take(MAX_MESSAGE).collect();
    Fault { message, line: place(line), column: place(column) }
}

/// Offset of a part of the text, in characters.
pub(super) fn offset(info: &SourceInfo, id: u64) -> usize {
    info.offset_for(id).map_or(0, |(start, _)| start as usize)
}
