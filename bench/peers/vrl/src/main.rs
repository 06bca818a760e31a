//! Runs a VRL program over each line of a file, and tells what that costs.
//!
//! `peer-vrl PROGRAM FIELD LINES` prints one JSON object: lines, lines whose result has FIELD, and CPU
//! seconds (user + system of this process) from the compiled program on.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::json;
use vrl::compiler::{Context, TargetValue, TimeZone, compile, state::RuntimeState};
use vrl::value::{Secrets, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, field, path] = arguments.as_slice() else {
        return Err("usage: peer-vrl PROGRAM FIELD LINES".into());
    };
    let compiled = compile(source, &vrl::stdlib::all())
        .map_err(|errors| format!("the program does not compile: {errors:?}"))?;
    let timezone = TimeZone::default();
    let mut state = RuntimeState::default();
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut line, mut lines, mut with_field) = (Vec::new(), 0_u64, 0_u64);
    let begin = cpu_s()?;
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut target = TargetValue {
            value: Value::from(BTreeMap::from([("message".into(), Value::from(text))])),
            metadata: Value::Object(BTreeMap::new()),
            secrets: Secrets::default(),
        };
        state.clear();
        let mut context = Context::new(&mut target, &mut state, &timezone);
        if compiled.program.resolve(&mut context).is_ok() {
            with_field += u64::from(has(&target.value, field));
        }
        lines += 1;
        line.clear();
    }
    let took = cpu_s()? - begin;
    println!("{}", json!({"lines": lines, "with_field": with_field, "cpu_s": took}));
    Ok(())
}

/// True where the object has the field, or the list has as many values as the number says.
fn has(value: &Value, field: &str) -> bool {
    match value {
        Value::Object(object) => object.get(field).is_some_and(|value| *value != Value::Null),
        Value::Array(list) => field.parse().is_ok_and(|count: usize| list.len() == count),
        _ => false,
    }
}

/// User and system time of this process.
fn cpu_s() -> Result<f64, Box<dyn Error>> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(us as f64 / 1e6)
}
