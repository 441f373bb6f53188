//! What an expression makes is put where it can be shared, so that no copy of it costs more than a count.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, operators},
};

use super::{cost::Cost, library::SHARE, types::Type};

/// The functions that make lists.
const MAKERS: [&str; 5] = ["findAll", "split", "distinct", "reverse", "sort"];

/// Whether a call is the step in which a macro adds to the list that it gathers.
pub(super) fn gathers(call: &CallExpr) -> bool {
    let gathered = call
        .args
        .first()
        .is_some_and(|list| matches!(&list.expr, Expr::Ident(name) if name.starts_with('@')));
    call.func_name == operators::ADD && gathered
}

/// Whether a call makes a list.
pub(super) fn makes(call: &CallExpr) -> bool {
    match call.func_name.as_str() {
        operators::ADD => !gathers(call),
        name => MAKERS.contains(&name),
    }
}

/// Puts what an expression makes where it can be shared.
pub(super) fn shared(expr: &mut IdedExpr, checked: (Type, Cost)) -> (Type, Cost) {
    let (type_, cost) = checked;
    if !matches!(type_, Type::List(..) | Type::Map(_) | Type::Dyn(_)) {
        return (type_, cost);
    }
    let made = std::mem::take(expr);
    let id = made.id;
    let call = CallExpr { func_name: SHARE.to_owned(), target: None, args: vec![made] };
    *expr = IdedExpr { id, expr: Expr::Call(call) };
    let keys = if let Type::Map(map) = &type_ { Cost(4) * map.size } else { Cost(1) };
    (type_, cost + Cost(1) + keys)
}
