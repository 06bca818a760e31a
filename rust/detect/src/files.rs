//! Finding and reading the files of a rule set, bounded and without trust in what is there.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bigsec_event::{Problem, codes};

use crate::yaml::MAX_BYTES;

/// What a folder of rules says about itself; no rule.
const MANIFEST: &str = "pack.yaml";
/// Folders deeper than this are not entered.
const MAX_DEPTH: usize = 32;

/// Reads a file as text, without its byte order mark.
pub(crate) fn read_text(path: &Path) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| fault(path, &error))?;
    // One byte more than allowed, so that the reader of the YAML sees that it is too large.
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| fault(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = memchr::memchr_iter(b'\n', &error.as_bytes()[..at]).count() as u32 + 1;
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        if error.as_bytes().len() > MAX_BYTES {
            let message = format!("the file has more than {MAX_BYTES} bytes");
            return Problem::new(codes::RULE_BUDGET, message).mend("split the file");
        }
        let message = format!("the file is not UTF-8: byte 0x{byte:02x} at offset {at}");
        Problem::new(codes::RULE_YAML, message).at(line, 0, 0).mend("save it as UTF-8")
    })
}

fn fault(path: &Path, error: &io::Error) -> Problem {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            let message = format!("{path} does not exist");
            Problem::new(codes::INPUT_NOT_FOUND, message).mend("check the spelling")
        }
        io::ErrorKind::PermissionDenied => {
            let message = format!("{path} may not be read");
            Problem::new(codes::INPUT_DENIED, message).mend("change its permissions, or the user")
        }
        _ => Problem::new(codes::INPUT_BROKEN, format!("{path} cannot be read: {error}")),
    }
}

/// Finds rule files: a file as given, and every `*.yml` and `*.yaml` below a folder, sorted.
///
/// Names that begin with a dot and manifests are passed over, and no link back to a folder being
/// read is followed.
pub(crate) fn find(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Problem>) {
    let mut finder = Finder::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => finder.folder(path),
            Ok(_) => finder.files.push(path.clone()),
            Err(error) => finder.problem(path, fault(path, &error)),
        }
    }
    (finder.files, finder.problems)
}

#[derive(Default)]
struct Finder {
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
    /// The real paths of the folders being read, outermost first.
    open: Vec<PathBuf>,
}

impl Finder {
    fn problem(&mut self, path: &Path, problem: Problem) {
        self.problems.push(problem.in_file(path.display().to_string()));
    }

    fn folder(&mut self, path: &Path) {
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return self.problem(path, fault(path, &error)),
        };
        if self.open.contains(&real) {
            let message = format!("{} leads back to {}", path.display(), real.display());
            let problem = Problem::new(codes::INPUT_SYMLINK_LOOP, message);
            return self.problem(path, problem.mend("remove the link"));
        }
        if self.open.len() == MAX_DEPTH {
            let message = format!("folders nest deeper than {MAX_DEPTH}");
            return self.problem(path, Problem::new(codes::RULE_BUDGET, message));
        }
        let mut entries = match list(path) {
            Ok(entries) => entries,
            Err(error) => return self.problem(path, fault(path, &error)),
        };
        entries.sort_unstable();
        self.open.push(real);
        for entry in entries {
            self.entry(&entry);
        }
        self.open.pop();
    }

    fn entry(&mut self, path: &Path) {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let manifest = path.file_name().is_some_and(|name| name == MANIFEST);
        let is_rule = path.extension().is_some_and(|extension| {
            extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
        });
        if hidden || manifest {
            return;
        }
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => self.folder(path),
            // Pipes and devices could keep the reader waiting for ever.
            Ok(data) if is_rule && data.is_file() => self.files.push(path.to_owned()),
            Err(error) if is_rule => self.problem(path, fault(path, &error)),
            _ => {}
        }
    }
}

fn list(path: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_faults_are_named() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir_all(path("b/inner")).unwrap();
        fs::create_dir_all(path(".git")).unwrap();
        for name in
            ["b/inner/z.YML", "b/a.yaml", "c.yml", "notes.txt", "pack.yaml", ".git/x.yml", ".y.yml"]
        {
            fs::write(path(name), "").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path(), path("b/loop")).unwrap();
            std::os::unix::fs::symlink(path("nowhere"), path("dangling.yml")).unwrap();
        }
        let (files, problems) = find(&[root.path().to_owned(), path("missing")]);
        let names: Vec<_> =
            files.iter().map(|file| file.strip_prefix(root.path()).unwrap().to_owned()).collect();
        assert_eq!(names, ["b/a.yaml", "b/inner/z.YML", "c.yml"].map(PathBuf::from));
        let found: Vec<_> = problems.iter().map(|problem| problem.code.name).collect();
        let expected = if cfg!(unix) {
            vec!["input.symlink_loop", "input.not_found", "input.not_found"]
        } else {
            vec!["input.not_found"]
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_not_text_is_refused_with_its_place() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.yml");
        fs::write(&path, b"title: a\nx: \xff\xfe").unwrap();
        let problem = read_text(&path).unwrap_err();
        assert_eq!((problem.code, problem.place.line), (codes::RULE_YAML, 2));
        fs::write(&path, vec![b'a'; MAX_BYTES + 9]).unwrap();
        assert_eq!(read_text(&path).unwrap().len(), MAX_BYTES + 1);
    }
}
