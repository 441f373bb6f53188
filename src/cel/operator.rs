//! The operators: what each gives, and what it costs beside its operands.

#![allow(
    clippy::similar_names,
    clippy::many_single_char_names,
    reason = "two operands, their types and their sizes"
)]

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use super::{
    cost::Cost,
    types::{Field, Type, listed},
};

/// The operator by which a call selects a part of its first argument, where it does.
pub(super) fn selects(call: &CallExpr) -> Option<&'static str> {
    let operators = [operators::INDEX, operators::OPT_INDEX, operators::OPT_SELECT];
    operators.into_iter().find(|operator| call.target.is_none() && call.func_name == *operator)
}

/// What an error costs that tells of an operand whose type was not known: the engine puts copies of the operands into it.
pub(super) fn complaint(operator: &str, types: &[Type]) -> Cost {
    use operators as op;
    let unknown = types.iter().any(|type_| matches!(type_, Type::Dyn(_)));
    let plain =
        [op::CONDITIONAL, op::LOGICAL_AND, op::LOGICAL_OR, op::LOGICAL_NOT, op::EQUALS, op::NOT_EQUALS];
    if !unknown || plain.contains(&operator) {
        return Cost(0);
    }
    types.iter().fold(Cost(0), |cost, type_| cost + type_.whole().walk())
}

/// What an operator gives, and what it costs beside its operands.
pub(super) fn operator_type(operator: &str, types: &[Type], call: &CallExpr) -> Result<(Type, Cost), String> {
    use operators as op;
    let bool_like = |type_: &Type| matches!(type_, Type::Bool | Type::Dyn(_));
    let wrong = || {
        let given = types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        Err(format!("{} does not go with {given}", symbol(operator)))
    };
    match (operator, types) {
        (op::CONDITIONAL, [condition, yes, no]) if bool_like(condition) => {
            Ok((yes.clone().or(no.clone()), Cost(0)))
        }
        (op::LOGICAL_AND | op::LOGICAL_OR, [a, b]) if bool_like(a) && bool_like(b) => {
            Ok((Type::Bool, Cost(0)))
        }
        (op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE, [a]) if bool_like(a) => Ok((Type::Bool, Cost(0))),
        (op::EQUALS | op::NOT_EQUALS, [a, b]) if a.compares(b) => {
            Ok((Type::Bool, a.comparison().min(b.comparison())))
        }
        (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [a, b])
            if ordered(a) && a.compares(b) =>
        {
            Ok((Type::Bool, a.size().min(b.size()).scan()))
        }
        (op::ADD, [a, b]) => match (a, b) {
            (Type::String(m), Type::String(n)) => Ok((Type::String(*m + *n), (*m + *n).scan())),
            (Type::List(x, m), Type::List(y, n)) => {
                let of = x.as_ref().clone().or(y.as_ref().clone());
                let copied = copy(&of) * (*m + *n);
                Ok((Type::List(Arc::new(of), *m + *n), copied))
            }
            (Type::Timestamp, Type::Duration) | (Type::Duration, Type::Timestamp) => {
                Ok((Type::Timestamp, Cost(1)))
            }
            (Type::Duration, Type::Duration) => Ok((Type::Duration, Cost(1))),
            (Type::Dyn(m), other) | (other, Type::Dyn(m)) => {
                let size = *m + other.whole();
                Ok((Type::Dyn(size), size.walk()))
            }
            (a, b) if arithmetic(a) && a == b => Ok((a.clone(), Cost(1))),
            _ => wrong(),
        },
        (op::SUBSTRACT, [Type::Timestamp, Type::Timestamp] | [Type::Duration, Type::Duration]) => {
            Ok((Type::Duration, Cost(1)))
        }
        (op::SUBSTRACT, [Type::Timestamp, Type::Duration]) => Ok((Type::Timestamp, Cost(1))),
        (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, [a, b])
            if (arithmetic(a) && a == b) || matches!((a, b), (Type::Dyn(_), _) | (_, Type::Dyn(_))) =>
        {
            Ok((if matches!(a, Type::Dyn(_)) { b.clone() } else { a.clone() }, Cost(1)))
        }
        (op::NEGATE, [a @ (Type::Int | Type::Double | Type::Dyn(_))]) => Ok((a.clone(), Cost(1))),
        (op::IN, [a, b]) => match b {
            Type::List(of, size) if a.compares(of) => {
                Ok((Type::Bool, a.comparison().min(of.comparison()) * *size))
            }
            Type::Map(_) | Type::Object(_) => Ok((Type::Bool, a.size().scan())),
            Type::Dyn(size) => Ok((Type::Bool, size.walk())),
            _ => wrong(),
        },
        (op::INDEX, [of, index]) => indexed(of, index, call).map(|type_| (type_, index.size().scan())),
        (op::OPT_INDEX | op::OPT_SELECT, [of, index]) => {
            let of = if let Type::Optional(inner) = of { inner.as_ref() } else { of };
            let type_ = indexed(of, index, call)?;
            let copied = copy(&type_);
            Ok((Type::Optional(Arc::new(type_)), copied + index.size().scan()))
        }
        _ => wrong(),
    }
}

/// What `of[index]` is.
fn indexed(of: &Type, index: &Type, call: &CallExpr) -> Result<Type, String> {
    let text = call.args.get(1).and_then(|index| match &index.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    });
    match (of, index, text) {
        (Type::List(of, _), Type::Int | Type::Uint | Type::Dyn(_), _) => Ok(of.as_ref().clone()),
        (Type::Map(map), index, _) if index.fits(&map.key) || matches!(*map.key, Type::Dyn(_)) => {
            Ok(map.value.as_ref().clone())
        }
        (Type::Object(fields), _, Some(name)) => {
            let field: Option<&Field> = fields.fields.get(name);
            let known = || fields.fields.keys().map(String::as_str).collect::<Vec<_>>();
            field
                .map(|field| field.type_.clone())
                .ok_or_else(|| format!("{of} has no field {name}; its fields are {}", listed(&known())))
        }
        (Type::Object(_), ..) => {
            Err(format!("the field of {of} must be written as it is; it cannot be computed"))
        }
        (Type::Dyn(size), ..) => Ok(Type::Dyn(*size)),
        _ => Err(format!("{of} has no element at {index}")),
    }
}

/// What copying a value costs: texts are copied, lists and maps are shared.
pub(super) fn copy(type_: &Type) -> Cost {
    match type_ {
        Type::Optional(of) => Cost(1) + copy(of),
        Type::String(size) | Type::Dyn(size) => Cost(1) + size.scan(),
        _ => Cost(1),
    }
}

fn arithmetic(type_: &Type) -> bool {
    matches!(type_, Type::Int | Type::Uint | Type::Double)
}

fn ordered(type_: &Type) -> bool {
    arithmetic(type_)
        || matches!(type_, Type::String(_) | Type::Bool | Type::Duration | Type::Timestamp | Type::Dyn(_))
}

/// How an operator is written.
fn symbol(operator: &str) -> String {
    match operator {
        operators::CONDITIONAL => "?:".to_owned(),
        operators::IN => "in".to_owned(),
        operators::INDEX => "[]".to_owned(),
        other => other.chars().filter(|character| *character != '_').collect(),
    }
}
