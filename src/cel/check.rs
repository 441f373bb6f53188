//! The check of an expression: of what type each part is, what it costs at worst, and what it reads.

#![allow(clippy::similar_names, reason = "a type and several types are called so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cel::{
    IdedExpr,
    common::ast::{
        CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr,
        SourceInfo, operators,
    },
};

use super::{
    compile::{Declarations, Fault, MAX_DEPTH, offset},
    cost::{Cost, Size},
    functions::{FUNCTIONS, Function, Takes, unknown_function},
    operator::{complaint, copy, operator_type, selects},
    pattern::Pattern,
    shape::deep,
    sharing::{gathers, makes, shared},
    types::{MapType, Type, listed},
};

type Checked = Result<(Type, Cost), Fault>;

/// Goes through an expression once.
pub(super) struct Checker<'a> {
    declared: &'a Declarations,
    source: &'a str,
    info: &'a SourceInfo,
    /// The names that comprehensions bind, the innermost last.
    bound: Vec<(String, Type)>,
    depth: usize,
    pub(super) reads: BTreeSet<Vec<String>>,
    pub(super) patterns: BTreeMap<String, Pattern>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(declared: &'a Declarations, source: &'a str, info: &'a SourceInfo) -> Self {
        let (bound, reads, patterns) = (Vec::new(), BTreeSet::new(), BTreeMap::new());
        Self { declared, source, info, bound, depth: 0, reads, patterns }
    }

    fn fault(&self, id: u64, message: &str) -> Fault {
        Fault::at(self.source, offset(self.info, id), message)
    }

    /// The type of an expression and its cost.
    pub(super) fn check(&mut self, expr: &mut IdedExpr) -> Checked {
        let depth = self.depth;
        if depth >= MAX_DEPTH {
            return Err(self.fault(expr.id, &deep()));
        }
        self.depth = depth + 1;
        let checked = self.part(expr);
        self.depth = depth;
        checked
    }

    fn part(&mut self, expr: &mut IdedExpr) -> Checked {
        let id = expr.id;
        match &mut expr.expr {
            Expr::Literal(literal) => self.literal(id, literal),
            Expr::Ident(_) | Expr::Select(_) => self.read(expr),
            Expr::Call(call) if selects(call).is_some() => self.read(expr),
            Expr::Call(call) => {
                let makes = makes(call);
                let checked = self.call(id, call)?;
                Ok(if makes { shared(expr, checked) } else { checked })
            }
            Expr::List(list) => {
                let checked = self.list(list)?;
                Ok(shared(expr, checked))
            }
            Expr::Map(map) => {
                let checked = self.map(id, map)?;
                Ok(shared(expr, checked))
            }
            Expr::Comprehension(comprehension) => {
                let checked = self.comprehension(id, comprehension)?;
                Ok(shared(expr, checked))
            }
            Expr::Struct(_) => {
                Err(self.fault(id, "messages cannot be made here; write a map: {'key': value}"))
            }
            Expr::Unspecified => Err(self.fault(id, "this is no expression")),
        }
    }

    fn literal(&self, id: u64, literal: &LiteralValue) -> Checked {
        let type_ = match literal {
            LiteralValue::Boolean(_) => Type::Bool,
            LiteralValue::Double(_) => Type::Double,
            LiteralValue::Int(_) => Type::Int,
            LiteralValue::UInt(_) => Type::Uint,
            LiteralValue::Null => Type::Null,
            LiteralValue::String(text) => Type::text(text.inner().chars().count() as u64),
            LiteralValue::Bytes(_) => {
                return Err(self.fault(id, "there are no bytes here; write a text: 'abc'"));
            }
        };
        Ok((type_, Cost(0)))
    }

    /// What is read from a name.
    fn read(&mut self, expr: &mut IdedExpr) -> Checked {
        let (type_, cost, path) = self.chain(expr)?;
        self.reads.extend(path);
        Ok((type_, cost))
    }

    /// A name, or a selection of fields from it; with the path that this reads, where it begins at a declared name.
    fn chain(&mut self, expr: &mut IdedExpr) -> Result<(Type, Cost, Option<Vec<String>>), Fault> {
        let id = expr.id;
        match &mut expr.expr {
            Expr::Ident(name) => {
                if let Some((_, type_)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
                    return Ok((type_.clone(), Cost(1), None));
                }
                let type_ = self.declared.get(name).ok_or_else(|| {
                    let known = self.declared.names().collect::<Vec<_>>();
                    self.fault(id, &format!("{name} is not known; the names are {}", listed(&known)))
                })?;
                Ok((type_.clone(), Cost(1), Some(vec![name.clone()])))
            }
            Expr::Select(select) => {
                let (of, cost, path) = self.below(id, &mut select.operand)?;
                let type_ = self.field(id, &of, select)?;
                let path = path.map(|mut path| {
                    path.push(select.field.clone());
                    path
                });
                Ok((if select.test { Type::Bool } else { type_ }, cost + Cost(1), path))
            }
            Expr::Call(call) => {
                let (Some(operator), [of, index]) = (selects(call), call.args.as_mut_slice()) else {
                    return Err(self.fault(id, "this selects nothing"));
                };
                let (of, of_cost, path) = self.below(id, of)?;
                let (index_type, index_cost) = self.check(index)?;
                let path = path.map(|mut path| {
                    if let Expr::Literal(LiteralValue::String(field)) = &index.expr {
                        path.push(field.inner().to_owned());
                    }
                    path
                });
                let types = [of, index_type];
                let (type_, own) =
                    operator_type(operator, &types, call).map_err(|message| self.fault(id, &message))?;
                Ok((type_, Cost(1) + of_cost + index_cost + own + complaint(operator, &types), path))
            }
            _ => Err(self.fault(id, "this selects nothing")),
        }
    }

    /// What something is selected from.
    fn below(&mut self, id: u64, expr: &mut IdedExpr) -> Result<(Type, Cost, Option<Vec<String>>), Fault> {
        let depth = self.depth;
        if depth >= MAX_DEPTH {
            return Err(self.fault(id, &deep()));
        }
        self.depth = depth + 1;
        let part = match &expr.expr {
            Expr::Ident(_) | Expr::Select(_) => self.chain(expr),
            Expr::Call(call) if selects(call).is_some() => self.chain(expr),
            _ => self.part(expr).map(|(type_, cost)| (type_, cost, None)),
        };
        self.depth = depth;
        part
    }

    fn field(&self, id: u64, of: &Type, select: &SelectExpr) -> Result<Type, Fault> {
        let name = &select.field;
        match of {
            Type::Object(fields) => {
                fields.fields.get(name).map(|field| field.type_.clone()).ok_or_else(|| {
                    let known = fields.fields.keys().map(String::as_str).collect::<Vec<_>>();
                    self.fault(id, &format!("{of} has no field {name}; its fields are {}", listed(&known)))
                })
            }
            Type::Map(map) => Ok(map.value.as_ref().clone()),
            Type::Dyn(size) => Ok(Type::Dyn(*size)),
            Type::Optional(_) => {
                Err(self.fault(id, &format!("this may be missing; write .?{name}, or .value().{name}")))
            }
            other => Err(self.fault(id, &format!("{other} has no fields, so no {name}"))),
        }
    }

    fn list(&mut self, list: &mut ListExpr) -> Checked {
        let (mut of, mut cost) = (Type::unknown(), Cost(10));
        let size = Size(list.elements.len() as u64);
        for (place, element) in list.elements.iter_mut().enumerate() {
            let (mut type_, step) = self.check(element)?;
            if list.optional_indices.contains(&place)
                && let Type::Optional(inner) = type_
            {
                type_ = Arc::unwrap_or_clone(inner);
            }
            cost += step + copy(&type_);
            of = of.or(type_);
        }
        Ok((Type::List(Arc::new(of), size), cost))
    }

    fn map(&mut self, id: u64, map: &mut MapExpr) -> Checked {
        let (mut key, mut value, mut cost) = (Type::unknown(), Type::unknown(), Cost(30));
        let size = Size(map.entries.len() as u64);
        for entry in &mut map.entries {
            let EntryExpr::MapEntry(entry) = &mut entry.expr else {
                return Err(self.fault(id, "this is no map"));
            };
            let (key_type, key_cost) = self.check(&mut entry.key)?;
            let (mut type_, step) = self.check(&mut entry.value)?;
            if entry.optional
                && let Type::Optional(inner) = type_
            {
                type_ = Arc::unwrap_or_clone(inner);
            }
            cost += key_cost + step + copy(&key_type) + copy(&type_);
            key = key.or(key_type);
            value = value.or(type_);
        }
        Ok((Type::Map(MapType { key: Arc::new(key), value: Arc::new(value), size }), cost))
    }

    /// What a macro such as `all` or `map` became.
    fn comprehension(&mut self, id: u64, comprehension: &mut ComprehensionExpr) -> Checked {
        let ComprehensionExpr {
            iter_range,
            iter_var,
            iter_var2,
            accu_var,
            accu_init,
            loop_cond,
            loop_step,
            result,
        } = comprehension;
        if iter_var2.is_some() {
            return Err(self.fault(id, "macros with two variables are not there; use one"));
        }
        let (range, range_cost) = self.check(iter_range)?;
        let (element, times) = self.elements(iter_range.id, &range)?;
        let (initial, initial_cost) = self.check(accu_init)?;
        let copied = copy(&element);
        // What the macro added around the part that somebody wrote is not nesting.
        let depth = self.depth;
        self.depth = depth.saturating_sub(2);
        self.bound.push((accu_var.clone(), initial.clone()));
        self.bound.push((iter_var.clone(), element));
        let inside = self.loop_of(loop_cond, loop_step);
        self.bound.truncate(self.bound.len().saturating_sub(2));
        let (step, step_cost) = inside?;
        let grown = match (initial, step) {
            (initial, _) if times == Size(0) => initial,
            // Each step adds to the list what it adds to an empty one.
            (Type::List(..), Type::List(of, added)) => Type::List(of, added * times),
            (initial @ (Type::Bool | Type::Int), step) if step.fits(&initial) => initial,
            (_, step) => return Err(self.fault(id, &format!("this macro cannot gather {step}"))),
        };
        self.bound.push((accu_var.clone(), grown));
        let end = self.check(result);
        self.bound.pop();
        self.depth = depth;
        let (type_, result_cost) = end?;
        Ok((type_, range_cost + initial_cost + (step_cost + copied + Cost(1)) * times + result_cost))
    }

    fn loop_of(&mut self, condition: &mut IdedExpr, step: &mut IdedExpr) -> Checked {
        let (_, condition_cost) = self.check(condition)?;
        let (type_, step_cost) = self.check(step)?;
        Ok((type_, condition_cost + step_cost))
    }

    /// What a comprehension over a value binds, and how often.
    fn elements(&self, id: u64, range: &Type) -> Result<(Type, Size), Fault> {
        match range {
            Type::List(of, size) => Ok((of.as_ref().clone(), *size)),
            Type::Map(map) => Ok((map.key.as_ref().clone(), map.size)),
            Type::Dyn(size) => Ok((Type::Dyn(*size), *size)),
            other => Err(self.fault(id, &format!("{other} is no list and no map"))),
        }
    }

    fn call(&mut self, id: u64, call: &mut CallExpr) -> Checked {
        if call.target.is_none()
            && let Some(checked) = self.operator(id, call)?
        {
            return Ok(checked);
        }
        let (name, method) = self.called(call);
        let named = || FUNCTIONS.iter().filter(|function| function.name == name);
        if named().next().is_none() {
            return Err(self.fault(id, &unknown_function(&name)));
        }
        let mut cost = Cost(0);
        let mut types = Vec::new();
        let takes_pattern = named().any(|function| function.takes.contains(&Takes::Pattern));
        if method && let Some(target) = &mut call.target {
            let (type_, step) = self.check(target)?;
            types.push(type_);
            cost += step;
        }
        for argument in &mut call.args {
            let (type_, step) = if takes_pattern && types.len() == 1 {
                self.pattern(argument)?
            } else {
                self.check(argument)?
            };
            types.push(type_);
            cost += step;
        }
        let fits = |function: &&Function| {
            function.method == method
                && function.takes.len() == types.len()
                && function.takes.iter().zip(&types).all(|(takes, type_)| takes.accepts(type_))
        };
        let function = named().find(fits).ok_or_else(|| {
            let given = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let signatures = named().map(Function::signature).collect::<Vec<_>>().join(" or ");
            self.fault(id, &format!("{name} does not take ({given}); write {signatures}"))
        })?;
        Ok(((function.gives)(&types), cost + (function.cost)(&types)))
    }

    /// The name of a function with its namespace, and whether it is called on a value.
    fn called(&self, call: &CallExpr) -> (String, bool) {
        let namespace = call.target.as_ref().and_then(|target| match &target.expr {
            Expr::Ident(name) if self.declared.get(name).is_none() => Some(name),
            _ => None,
        });
        let qualified = namespace.map(|namespace| format!("{namespace}.{}", call.func_name));
        match qualified.filter(|name| FUNCTIONS.iter().any(|function| function.name == name)) {
            Some(name) => (name, false),
            None => (call.func_name.clone(), call.target.is_some()),
        }
    }

    /// A pattern, which is compiled here and found by its name when the expression is evaluated.
    fn pattern(&mut self, argument: &mut IdedExpr) -> Checked {
        let Expr::Literal(LiteralValue::String(text)) = &argument.expr else {
            return Err(self.fault(
                argument.id,
                "a pattern is written as it is, for example '^[a-z]+$'; it cannot be computed",
            ));
        };
        let text = text.inner().to_owned();
        let (pattern, states) =
            Pattern::compile(&text).map_err(|message| self.fault(argument.id, &message))?;
        let name = Pattern::name(&text);
        self.patterns.insert(name.clone(), pattern);
        argument.expr = Expr::Ident(name);
        Ok((Type::Pattern(states), Cost(0)))
    }

    /// An operator, where the call is one.
    fn operator(&mut self, id: u64, call: &mut CallExpr) -> Result<Option<(Type, Cost)>, Fault> {
        use operators as op;
        let name = call.func_name.as_str();
        let known = [
            op::CONDITIONAL,
            op::LOGICAL_AND,
            op::LOGICAL_OR,
            op::LOGICAL_NOT,
            op::SUBSTRACT,
            op::ADD,
            op::MULTIPLY,
            op::DIVIDE,
            op::MODULO,
            op::EQUALS,
            op::NOT_EQUALS,
            op::GREATER_EQUALS,
            op::LESS_EQUALS,
            op::GREATER,
            op::LESS,
            op::NEGATE,
            op::NOT_STRICTLY_FALSE,
            op::IN,
        ];
        let Some(operator) = known.into_iter().find(|known| *known == name) else {
            return Ok(None);
        };
        let (mut types, mut costs) = (Vec::new(), Vec::new());
        let gathers = gathers(call);
        for (place, argument) in call.args.iter_mut().enumerate() {
            // A chain of one operator, such as a && b && c, is not nesting, however the parser groups it.
            let chained =
                place == 0 && matches!(&argument.expr, Expr::Call(inner) if inner.func_name == operator);
            let (type_, cost) = match &mut argument.expr {
                // The engine adds to its own list in place only what still looks like the macro made it.
                Expr::List(list) if gathers => self.list(list)?,
                _ if chained => self.part(argument)?,
                _ => self.check(argument)?,
            };
            types.push(type_);
            costs.push(cost);
        }
        let typed = operator_type(operator, &types, call);
        let (type_, own) = typed.map_err(|message| self.fault(id, &message))?;
        let all = costs.iter().fold(Cost(1), |sum, cost| sum + *cost);
        let cost = match (operator, costs.as_slice()) {
            (op::CONDITIONAL, [condition, yes, no]) => Cost(1) + *condition + (*yes).max(*no),
            _ => all,
        };
        Ok(Some((type_, cost + own + complaint(operator, &types))))
    }
}
