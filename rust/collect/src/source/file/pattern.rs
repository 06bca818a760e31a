//! Finds files by patterns: `*` and `?` within a name, `[…]` one of some characters, `**` any
//! folders.

use std::path::{Path, PathBuf};

use regex::Regex;

use crate::storage::Storage;

use super::super::context::StartError;

/// Folders below each other that `**` looks into.
const DEPTH: usize = 16;
/// Entries of folders that are looked at for one pattern.
const ENTRIES: usize = 100_000;

/// A pattern of paths.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The folder where looking begins.
    base: PathBuf,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Name { regex: Regex, hidden: bool },
    Folders,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(path: &Path) -> Result<Self, StartError> {
        let mut pattern = Self { base: PathBuf::new(), parts: Vec::new() };
        for component in path.components() {
            let name = component.as_os_str().to_string_lossy();
            if pattern.parts.is_empty() && !name.contains(['*', '?', '[']) {
                pattern.base.push(component);
            } else if name == "**" {
                pattern.parts.push(Part::Folders);
            } else {
                let regex = name_regex(&name).map_err(|what| StartError::Pattern {
                    pattern: path.display().to_string(),
                    what,
                })?;
                pattern.parts.push(Part::Name { regex, hidden: name.starts_with('.') });
            }
        }
        Ok(pattern)
    }

    /// The files that fit at present.
    pub fn find(&self, storage: &dyn Storage, found: &mut Vec<PathBuf>) {
        let mut left = ENTRIES;
        walk(storage, &self.base, &self.parts, DEPTH, &mut left, found);
    }

    /// Whether a path fits. A pattern that is a bare name fits files of that name anywhere.
    pub fn fits(&self, path: &Path) -> bool {
        let bare = self.base.as_os_str().is_empty() && self.parts.len() == 1;
        let rest =
            if bare { path.file_name().map(Path::new) } else { path.strip_prefix(&self.base).ok() };
        let Some(rest) = rest else { return false };
        let names: Vec<_> =
            rest.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        fit(&self.parts, &names)
    }
}

fn fit(parts: &[Part], names: &[&str]) -> bool {
    match (parts, names) {
        ([], []) => true,
        ([Part::Folders, rest @ ..], _) => {
            fit(rest, names) || (!names.is_empty() && fit(parts, &names[1..]))
        }
        ([part, rest @ ..], [name, names @ ..]) => part.takes(name) && fit(rest, names),
        _ => false,
    }
}

fn walk(
    storage: &dyn Storage,
    at: &Path,
    parts: &[Part],
    depth: usize,
    left: &mut usize,
    found: &mut Vec<PathBuf>,
) {
    let Some((part, rest)) = parts.split_first() else {
        found.push(at.to_owned());
        return;
    };
    if matches!(part, Part::Folders) {
        walk(storage, at, rest, depth, left, found);
    }
    let here = if at.as_os_str().is_empty() { Path::new(".") } else { at };
    // What is no folder, or may not be read, holds nothing for us.
    for path in storage.list(here).unwrap_or_default() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match part {
            Part::Folders
                if depth > 0
                    && !name.starts_with('.')
                    && storage.stat(&path).is_ok_and(|stat| !stat.is_regular) =>
            {
                walk(storage, &path, parts, depth - 1, left, found);
            }
            Part::Name { .. } if part.takes(&name) => {
                walk(storage, &path, rest, depth, left, found);
            }
            _ => {}
        }
    }
}

impl Part {
    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Name { regex, hidden } => {
                (*hidden || !name.starts_with('.')) && regex.is_match(name)
            }
            Self::Folders => false,
        }
    }
}

/// The regular expression of a name's pattern.
fn name_regex(pattern: &str) -> Result<Regex, String> {
    let mut text = String::from("(?s)^");
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => {
                let (class, after) =
                    rest.as_str().split_once(']').ok_or("a `[` has no `]` behind it")?;
                let (not, class) =
                    class.strip_prefix('!').map_or(("", class), |class| ("^", class));
                if class.is_empty() {
                    return Err("there is nothing between `[` and `]`".to_owned());
                }
                for piece in ["[", not, &class.replace(['\\', '[', '&', '~', '^'], ""), "]"] {
                    text.push_str(piece);
                }
                rest = after.chars();
            }
            _ => text.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    text.push('$');
    Regex::new(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Disk;

    fn fits(pattern: &str, path: &str) -> bool {
        Pattern::new(Path::new(pattern)).unwrap().fits(Path::new(path))
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        assert!(fits("/var/log/*.log", "/var/log/a.log"));
        assert!(!fits("/var/log/*.log", "/var/log/b/a.log"));
        assert!(!fits("/var/log/*", "/var/log/.hidden"));
        assert!(fits("/var/log/**/*.log", "/var/log/a.log"));
        assert!(fits("/var/log/**/*.log", "/var/log/b/c/a.log"));
        assert!(fits("/l/app.log.[0-9]", "/l/app.log.7"));
        assert!(!fits("/l/app.log.[!0-9]", "/l/app.log.7"));
        assert!(fits("/l/a?c", "/l/a.c"));
        assert!(!fits("/l/a.c*", "/l/abc"));
        assert!(fits("*.gz", "/l/a.gz"));
        assert!(Pattern::new(Path::new("/l/[ab")).is_err());
    }

    #[test]
    fn files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("x/y");
        std::fs::create_dir_all(&deep).unwrap();
        for name in ["a.log", "b.txt", "x/c.log", "x/y/d.log"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| {
            let mut found = Vec::new();
            let pattern = Pattern::new(&folder.path().join(pattern)).unwrap();
            pattern.find(&Disk, &mut found);
            let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
            let mut names: Vec<_> = found.iter().map(name).collect();
            names.sort();
            names
        };
        assert_eq!(names("*.log"), ["a.log"]);
        assert_eq!(names("**/*.log"), ["a.log", "c.log", "d.log"]);
        assert_eq!(names("x/*/d.log"), ["d.log"]);
        assert_eq!(names("b.txt"), ["b.txt"]);
    }
}
