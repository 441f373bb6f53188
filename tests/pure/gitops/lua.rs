//! Lua as Argo CD gives it to scripts: the language of 5.1, the base and table libraries, and an `os` that knows the time and
//! nothing else. Neither strings nor mathematics have functions there.

use mlua::{Lua, LuaOptions, Result, StdLib, Table, Value as Said};
use serde_json::{Map, Number, Value};

/// The instant of every script, in seconds.
const NOW: i64 = 1_795_521_600;

/// Runs a script on an object and gives what it returns, as the object would look with it.
pub(super) fn run(script: &str, object: &Value, with_os: bool) -> Result<Value> {
    let libraries = if with_os { StdLib::TABLE | StdLib::OS } else { StdLib::TABLE };
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    let globals = lua.globals();
    // Given by `require` only, and only with what tells the time; our clock stands still.
    if with_os {
        let date: mlua::Function = globals.get::<Table>("os")?.get("date")?;
        let os = lua.create_table()?;
        os.set("date", lua.create_function(move |_, format: String| date.call::<String>((format, NOW)))?)?;
        os.set("time", lua.create_function(|_, ()| Ok(NOW))?)?;
        let require = lua.create_function(move |_, name: String| match name.as_str() {
            "os" => Ok(os.clone()),
            other => Err(mlua::Error::runtime(format!("module {other} not found"))),
        })?;
        globals.set("require", require)?;
    }
    for closed in ["os", "io", "string", "math", "debug", "package", "coroutine", "bit", "jit"] {
        globals.set(closed, Said::Nil)?;
    }
    globals.set("obj", given(&lua, object)?)?;
    // With a name, or an error would quote the whole script.
    let said: Said = lua.load(script).set_name("=script").eval()?;
    taken(&said, object)
}

fn given(lua: &Lua, value: &Value) -> Result<Said> {
    Ok(match value {
        Value::Null => Said::Nil,
        Value::Bool(truth) => Said::Boolean(*truth),
        Value::Number(number) => Said::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Said::String(lua.create_string(text)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| given(lua, item)).collect::<Result<Vec<_>>>()?;
            Said::Table(lua.create_sequence_from(items)?)
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.as_str(), given(lua, value)?)));
            Said::Table(lua.create_table_from(fields.collect::<Result<Vec<_>>>()?)?)
        }
    })
}

/// A value as JSON. Lua has one empty table for lists and objects, and so Argo CD takes the kind of the value that was given.
fn taken(said: &Said, before: &Value) -> Result<Value> {
    Ok(match said {
        Said::Nil => Value::Null,
        Said::Boolean(truth) => Value::Bool(*truth),
        Said::Integer(number) => Value::from(*number),
        #[allow(clippy::cast_possible_truncation, reason = "whole numbers of manifests are small")]
        Said::Number(number) if number.fract() == 0.0 => Value::from(*number as i64),
        Said::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Said::String(text) => Value::String(text.to_str()?.to_owned()),
        Said::Table(table) if table.raw_len() > 0 => {
            let items = table.sequence_values::<Said>().enumerate();
            let before = |index: usize| before.get(index).unwrap_or(&Value::Null);
            Value::Array(items.map(|(index, item)| taken(&item?, before(index))).collect::<Result<_>>()?)
        }
        Said::Table(table) => {
            let mut fields = Map::new();
            for pair in table.pairs::<String, Said>() {
                let (name, value) = pair?;
                let value = taken(&value, before.get(&name).unwrap_or(&Value::Null))?;
                fields.insert(name, value);
            }
            match before {
                Value::Array(_) if fields.is_empty() => Value::Array(Vec::new()),
                _ => Value::Object(fields),
            }
        }
        other => return Err(mlua::Error::runtime(format!("{} is no JSON", other.type_name()))),
    })
}

#[test]
fn scripts_have_no_more_than_argo_cd_gives_them() {
    for closed in [
        "string.len('a')",
        "('a'):len()",
        "os.exit()",
        "os.date()",
        "io.read()",
        "math.floor(1)",
        "require('io')",
    ] {
        assert!(run(&format!("return {{said = {closed}}}"), &Value::Null, true).is_err(), "{closed}");
    }
    let said = run("local os = require('os') return {said = os.date('!%Y-%m-%dT%XZ')}", &Value::Null, true);
    assert_eq!(said.expect("an answer")["said"], "2026-11-24T12:00:00Z");
    assert!(run("return require('os')", &Value::Null, false).is_err(), "health has no clock");
    assert!(run("goto out ::out:: return {}", &Value::Null, false).is_err(), "it is the language of 5.1");
}
