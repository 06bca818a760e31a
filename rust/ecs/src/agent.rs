//! What a `User-Agent` header says of the program, its system and its device.

use std::sync::LazyLock;

use woothee::parser::Parser;

static PARSER: LazyLock<Parser> = LazyLock::new(Parser::new);
/// What the library says where it does not know.
const UNKNOWN: &str = "UNKNOWN";
/// Headers beyond this are no program's.
const MAX_LENGTH: usize = 2048;

/// Parts below `user_agent`: `name`, `version`, `os.name`, `os.version`, `device.name`.
pub(crate) fn parts(text: &str) -> Vec<(&'static str, String)> {
    if text.len() > MAX_LENGTH {
        return Vec::new();
    }
    let Some(found) = PARSER.parse(text) else { return first_product(text) };
    let mut parts = Vec::new();
    let mut put = |name, value: &str| {
        if !value.is_empty() && value != UNKNOWN {
            parts.push((name, value.to_owned()));
        }
    };
    put("name", found.name);
    put("version", found.version);
    let system = system(found.os);
    put("os.name", system);
    put("os.full", found.os);
    put("os.version", found.os_version.trim_start_matches("NT "));
    put("device.name", found.category);
    if found.name == UNKNOWN {
        parts.extend(first_product(text));
    }
    parts
}

/// `Windows` of `Windows 10`.
fn system(os: &str) -> &str {
    ["Windows", "Mac OS X"].into_iter().find(|name| os.starts_with(name)).unwrap_or(os)
}

/// Programs that the library does not know write `name/version` first.
fn first_product(text: &str) -> Vec<(&'static str, String)> {
    let first = text.split(' ').next().unwrap_or_default();
    match first.split_once('/') {
        Some((name, version)) if !name.is_empty() && name != "Mozilla" => {
            vec![("name", name.to_owned()), ("version", version.to_owned())]
        }
        _ => Vec::new(),
    }
}
