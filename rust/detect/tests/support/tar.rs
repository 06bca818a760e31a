//! Reads the text files out of a tar archive: as much of the format as the shared data needs.

const BLOCK: usize = 512;

/// The regular files of an archive, name and text.
pub fn files(archive: &[u8]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut rest = archive;
    let mut long_name = None;
    while rest.len() >= BLOCK && rest[0] != 0 {
        let (header, body) = rest.split_at(BLOCK);
        let text = |range: std::ops::Range<usize>| {
            let bytes = &header[range];
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).expect("the size is octal");
        let content = &body[..size];
        match header[156] {
            b'L' => {
                long_name = Some(String::from_utf8_lossy(content).trim_end_matches('\0').into())
            }
            b'x' => {
                let records = String::from_utf8_lossy(content);
                let path = records.lines().find_map(|record| record.split_once(" path="));
                long_name = path.map(|(_, path)| path.to_owned());
            }
            b'0' | 0 => {
                let prefix = text(345..500);
                let name =
                    if prefix.is_empty() { text(0..100) } else { prefix + "/" + &text(0..100) };
                let content = String::from_utf8(content.to_vec()).expect("the file is text");
                files.push((long_name.take().unwrap_or(name), content));
            }
            _ => {}
        }
        rest = &body[size.div_ceil(BLOCK) * BLOCK..];
    }
    files
}
