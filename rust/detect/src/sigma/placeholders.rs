//! Values of placeholders from files: `placeholders/Name.txt` in a folder of rules has what
//! `%Name%` stands for, one value a line. Blank lines and lines that begin with `#` are passed over.

use std::fs;
use std::path::{Path, PathBuf};

use bigsec_event::{Problem, codes};

use super::draft::{MAX_FORMS, Placeholders};
use crate::files;

const FOLDER: &str = "placeholders";

/// The values that the folders hold, and those given, which come first.
pub(super) fn load(
    folders: &[PathBuf],
    given: &Placeholders,
    problems: &mut Vec<Problem>,
) -> Placeholders {
    let mut all = Placeholders::new();
    for folder in folders {
        // A folder without any is the rule.
        let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else { continue };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort_unstable();
        for path in paths.iter().filter(|path| is_list(path)) {
            match values(path) {
                Ok((name, values)) => all.entry(name).or_default().extend(values),
                Err(problem) => problems.push(problem.in_file(path.display().to_string())),
            }
        }
    }
    all.extend(given.clone());
    all
}

fn is_list(path: &Path) -> bool {
    let is_text = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
    // Pipes and devices could keep the reader waiting for ever.
    is_text && fs::metadata(path).is_ok_and(|data| data.is_file())
}

fn values(path: &Path) -> Result<(String, Vec<String>), Problem> {
    let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or_else(|| {
        let message = "the name of the file, which is that of the placeholder, is not UTF-8";
        Problem::new(codes::RULE_PLACEHOLDER, message).mend("rename it")
    })?;
    let text = files::read_text(path)?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let values: Vec<String> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if values.len() > MAX_FORMS {
        let message = format!("{} values; a placeholder may have {MAX_FORMS}", values.len());
        return Err(Problem::new(codes::RULE_BUDGET, message)
            .mend("look for so many as indicators, which have no such limit"));
    }
    Ok((name.to_owned(), values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_values_and_what_is_given_comes_first() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(FOLDER);
        fs::create_dir(&folder).unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        write("Admins.txt", "\u{feff}# ours\r\nann\r\n\r\n  王五  \n".as_bytes());
        write("Hosts.txt", b"a\nb");
        write("notes.md", b"nothing");
        write("Bad.txt", b"ok\n\xff\n");
        write("Many.txt", "x\n".repeat(MAX_FORMS + 1).as_bytes());
        let given = Placeholders::from([("Hosts".to_owned(), vec!["c".to_owned()])]);
        let mut problems = Vec::new();
        let found = load(&[root.path().to_owned()], &given, &mut problems);
        let expected = Placeholders::from([
            ("Admins".to_owned(), vec!["ann".to_owned(), "王五".to_owned()]),
            ("Hosts".to_owned(), vec!["c".to_owned()]),
        ]);
        assert_eq!(found, expected);
        let told: Vec<_> =
            problems.iter().map(|problem| (problem.code.number, problem.place.line)).collect();
        assert_eq!(told, [("BS2101", 2), (codes::RULE_BUDGET.number, 0)]);
    }
}
