//! Writes small binary event logs: one template for each record, whose values are its own.

/// What a record says.
#[derive(Clone)]
pub struct Record {
    pub id: u64,
    pub event_id: u16,
    pub computer: &'static str,
    pub command_line: String,
}

/// Bytes of the file's header, of a chunk, and of a chunk's header.
pub const FILE_HEADER: usize = 4096;
pub const CHUNK: usize = 65_536;
pub const CHUNK_HEADER: usize = 512;

/// 2026-01-09T03:04:05Z in steps of 100 ns since 1601.
const FILETIME: u64 = 134_124_014_450_000_000;

/// Types of values.
const STRING: u8 = 0x01;
const UINT16: u8 = 0x06;
const UINT64: u8 = 0x0a;
const TIME: u8 = 0x11;
/// A list of strings.
pub const STRINGS: u8 = 0x81;

/// A file of these chunks.
pub fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; FILE_HEADER];
    bytes[..8].copy_from_slice(b"ElfFile\0");
    bytes[32..36].copy_from_slice(&128_u32.to_le_bytes());
    bytes[36..42].copy_from_slice(&[1, 0, 3, 0, 0, 16]);
    bytes[42..44].copy_from_slice(&(chunks.len() as u16).to_le_bytes());
    bytes.extend(chunks.iter().flatten());
    bytes
}

/// A chunk of these records.
pub fn chunk(records: &[Record]) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![0; CHUNK_HEADER] };
    for record in records {
        let values = [
            (UINT16, record.event_id.to_le_bytes().to_vec()),
            (STRING, utf16(record.computer)),
            (UINT64, record.id.to_le_bytes().to_vec()),
            (TIME, FILETIME.to_le_bytes().to_vec()),
            (STRING, utf16(&record.command_line)),
        ];
        writer.record(record.id, &values);
    }
    writer.finish(records.last().map_or(0, |record| record.id))
}

/// A chunk of one record whose last value has this type and content.
pub fn chunk_with(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut writer = Writer { bytes: vec![0; CHUNK_HEADER] };
    let text = |text: &str| (STRING, utf16(text));
    let values = [
        (UINT16, vec![1, 0]),
        text("ws07.example.net"),
        (UINT64, 7_u64.to_le_bytes().to_vec()),
        (TIME, FILETIME.to_le_bytes().to_vec()),
        (kind, content.to_vec()),
    ];
    writer.record(7, &values);
    writer.finish(7)
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An attribute's name, and what writes its value.
type Attribute<'a> = Option<(&'a str, &'a dyn Fn(&mut Writer))>;

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn u16(&mut self, number: u16) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    /// Runs `body` behind a length, which counts what `body` wrote.
    fn counted(&mut self, body: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.u32(0);
        body(self);
        let length = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }

    fn record(&mut self, id: u64, values: &[(u8, Vec<u8>)]) {
        let at = self.bytes.len();
        self.bytes.extend(b"\x2a\x2a\0\0\0\0\0\0");
        self.bytes.extend(id.to_le_bytes());
        self.bytes.extend(FILETIME.to_le_bytes());
        self.bytes.extend([0x0f, 1, 1, 0, 0x0c, 1]);
        self.u32(1);
        // The template follows at once.
        self.u32(self.bytes.len() as u32 + 4);
        self.u32(0);
        self.bytes.extend([0; 16]);
        self.counted(|writer| {
            writer.bytes.extend([0x0f, 1, 1, 0]);
            writer.event();
            writer.bytes.push(0);
        });
        self.u32(values.len() as u32);
        for (kind, value) in values {
            self.u16(value.len() as u16);
            self.bytes.extend([*kind, 0]);
        }
        self.bytes.extend(values.iter().flat_map(|(_, value)| value));
        self.bytes.push(0);
        while !(self.bytes.len() + 4).is_multiple_of(8) {
            self.bytes.push(0);
        }
        let length = (self.bytes.len() + 4 - at) as u32;
        self.u32(length);
        self.bytes[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
    }

    /// The template: which value stands where.
    fn event(&mut self) {
        self.element("Event", None, |event| {
            event.element("System", None, |system| {
                let provider = |writer: &mut Self| writer.text("Microsoft-Windows-Sysmon");
                system.element("Provider", Some(("Name", &provider)), |_| {});
                system.element("EventID", None, |writer| writer.value(0, UINT16));
                let time = |writer: &mut Self| writer.value(3, TIME);
                system.element("TimeCreated", Some(("SystemTime", &time)), |_| {});
                system.element("EventRecordID", None, |writer| writer.value(2, UINT64));
                system.element("Channel", None, |writer| {
                    writer.text("Microsoft-Windows-Sysmon/Operational");
                });
                system.element("Computer", None, |writer| writer.value(1, STRING));
            });
            event.element("EventData", None, |data| {
                let name = |writer: &mut Self| writer.text("CommandLine");
                data.element("Data", Some(("Name", &name)), |writer| writer.value(4, STRING));
            });
        });
    }

    fn element(&mut self, name: &str, attribute: Attribute<'_>, content: impl FnOnce(&mut Self)) {
        self.bytes.push(if attribute.is_some() { 0x41 } else { 0x01 });
        self.u16(u16::MAX);
        self.counted(|writer| {
            writer.name(name);
            if let Some((name, value)) = attribute {
                writer.counted(|writer| {
                    writer.bytes.push(0x06);
                    writer.name(name);
                    value(writer);
                });
            }
            writer.bytes.push(0x02);
            content(writer);
            writer.bytes.push(0x04);
        });
    }

    /// A name where it is first used.
    fn name(&mut self, name: &str) {
        self.u32(self.bytes.len() as u32 + 4);
        self.u32(0);
        self.u16(0);
        self.u16(name.len() as u16);
        self.bytes.extend(utf16(name));
        self.u16(0);
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend([0x05, STRING]);
        self.u16(text.len() as u16);
        self.bytes.extend(utf16(text));
    }

    fn value(&mut self, index: u16, kind: u8) {
        self.bytes.push(0x0d);
        self.u16(index);
        self.bytes.push(kind);
    }

    fn finish(mut self, last_id: u64) -> Vec<u8> {
        assert!(self.bytes.len() <= CHUNK, "the records fit into a chunk");
        let used = self.bytes.len() as u32;
        self.bytes[..8].copy_from_slice(b"ElfChnk\0");
        self.bytes[16..24].copy_from_slice(&last_id.to_le_bytes());
        self.bytes[32..40].copy_from_slice(&last_id.to_le_bytes());
        self.bytes[40..44].copy_from_slice(&128_u32.to_le_bytes());
        self.bytes[48..52].copy_from_slice(&used.to_le_bytes());
        self.bytes.resize(CHUNK, 0);
        self.bytes
    }
}
