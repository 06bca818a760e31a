//! The parts of a document's values that have a name in ECS themselves.

use crate::agent;
use crate::document::Document;
use crate::fields::shaped;
use crate::names::HOSTS;
use crate::shape::{self, Shape};

/// The parts of values that have a name in ECS.
pub(crate) fn of_parts(made: &mut Document) {
    if let Some(original) = made.first("url.original") {
        let mut parts = Vec::new();
        match shape::of(&original) {
            Some(Shape::Url) => shape::url_parts(&original, &mut |part| parts.push(part)),
            // What a client asks a proxy to connect to.
            Some(Shape::Endpoint) => {
                shape::parts(Shape::Endpoint, &original, &mut |part| parts.push(part));
                parts
                    .iter_mut()
                    .filter(|(name, _)| *name == "address")
                    .for_each(|part| part.0 = "domain");
            }
            _ if shape::is_hosted(&original) => {
                shape::hosted_parts(&original, &mut |part| parts.push(part));
            }
            _ => shape::reference_parts(&original, &mut |part| parts.push(part)),
        }
        below("url", &parts, made);
    }
    counterparts(made);
    for name in HOSTS {
        if let Some(host) = made.first(name) {
            let mut parts = Vec::new();
            shape::host_parts(&host, &mut |part| parts.push(part));
            let (whose, _) = name.rsplit_once('.').unwrap_or((name, ""));
            below(whose, &parts, made);
        }
    }
    for whose in ["source", "destination"] {
        // Some devices write an address where a name could stand, mail servers in brackets.
        let name = format!("{whose}.domain");
        let host = made.first(&name).unwrap_or_default();
        let address = host.trim_matches(['[', ']']);
        if address.parse::<std::net::IpAddr>().is_ok() {
            made.remove(&name);
            made.text(format!("{whose}.ip"), address);
        }
        // Where a message was delivered is told by the address; elsewhere the name says more.
        let names = if whose == "destination" && is(made, "email") {
            ["ip", "domain"]
        } else {
            ["domain", "ip"]
        };
        let known = names.map(|name| made.first(&format!("{whose}.{name}")));
        if let Some(value) = known.into_iter().flatten().next() {
            made.text(format!("{whose}.address"), &value);
        }
    }
    if let Some(host) = made.first("host.name") {
        made.text("host.hostname", host.split('.').next().unwrap_or(&host));
    }
    for name in ["user.name", "user.target.name", "user.effective.name"] {
        if let Some(account) = made.first(name) {
            user_parts(name.trim_end_matches(".name"), &account, made);
        }
    }
    for (name, whose) in
        [("process.executable", "process"), ("process.parent.executable", "process.parent")]
    {
        if let Some(path) = made.first(name) {
            made.text(format!("{whose}.name"), shape::file_name(&path));
            let mut parts = Vec::new();
            shape::path_parts(&path, &mut |part| parts.push(part));
            parts.retain(|(part, _)| *part == "directory");
            below(&format!("{whose}.executable"), &parts, made);
        }
    }
    for (name, whose) in
        [("process.command_line", "process"), ("process.parent.command_line", "process.parent")]
    {
        if let Some(line) = made.first(name) {
            for argument in arguments(&line) {
                made.text(format!("{whose}.args"), argument);
            }
        }
    }
    for (name, whose) in [("file.path", "file"), ("file.name", "file"), ("dll.path", "dll")] {
        if let Some(path) = made.first(name) {
            let mut parts = Vec::new();
            shape::path_parts(&path, &mut |part| parts.push(part));
            below(whose, &parts, made);
        }
    }
    if let Some(agent) = made.first("user_agent.original") {
        for (part, value) in agent::parts(&agent) {
            made.text(format!("user_agent.{part}"), &value);
        }
    }
    if let Some(referrer) = made.first("http.request.referrer") {
        shaped("http.request.referrer", &referrer, made);
    }
    for name in ["email.from.address", "email.to.address"] {
        if let Some(written) = made.first(name) {
            let address = written.trim().trim_start_matches('<').trim_end_matches('>');
            if address != written {
                made.remove(name);
                made.text(name, address);
            }
            shaped(name, address, made);
        }
    }
}

fn is(made: &Document, category: &str) -> bool {
    made.get("event.category").iter().any(|one| one.as_str() == Some(category))
}

/// What stands for the destination where nothing else is known of it: the host that a request of the
/// web is for, the domain that a message goes to. And the other way round.
fn counterparts(made: &mut Document) {
    let unknown = |made: &Document, whose: &str| {
        ["domain", "ip"].iter().all(|part| !made.has(&format!("{whose}.{part}")))
    };
    if made.has("url.original") && !made.has("url.domain") {
        let host = made.first("destination.domain").unwrap_or_default();
        made.text("url.domain", &host);
    }
    if is(made, "web") && unknown(made, "destination") {
        let host = made.first("url.domain").unwrap_or_default();
        made.text("destination.domain", &host);
        if let Some(port) = made.get("url.port").first().cloned().filter(|_| !host.is_empty()) {
            made.put("destination.port", port);
        }
    }
    if is(made, "email") {
        for (whose, name) in [("source", "email.from.address"), ("destination", "email.to.address")]
        {
            let address = made.first(name).unwrap_or_default();
            if let Some((_, domain)) = address.rsplit_once('@')
                && unknown(made, whose)
            {
                made.text(format!("{whose}.domain"), domain);
            }
        }
    }
}

fn below(whose: &str, parts: &[shape::Part<'_>], made: &mut Document) {
    for (part, value) in parts {
        let name = format!("{whose}.{part}");
        if !made.has(&name) {
            made.text(name, value);
        }
    }
}

/// `CORP\li.wei` and `li.wei@example.net` are an account and its domain.
fn user_parts(whose: &str, account: &str, made: &mut Document) {
    if let Some((domain, name)) = shape::account(account) {
        made.text(format!("{whose}.domain"), domain);
        made.remove(&format!("{whose}.name"));
        made.text(format!("{whose}.name"), name);
        made.text("related.user", account);
    } else if shape::of(account) == Some(Shape::Email)
        && let Some((local, domain)) = account.rsplit_once('@')
    {
        made.text(format!("{whose}.email"), account);
        made.text(format!("{whose}.domain"), domain);
        made.text("related.user", local);
    }
}

/// The words of a command line; quotes hold a word together.
fn arguments(line: &str) -> Vec<&str> {
    const MOST: usize = 64;
    let mut found = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && found.len() < MOST {
        let quoted = rest.strip_prefix('"').and_then(|inside| inside.split_once('"'));
        let (word, behind) = match quoted {
            Some(split) => split,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        found.push(word);
        rest = behind.trim_start();
    }
    found
}
