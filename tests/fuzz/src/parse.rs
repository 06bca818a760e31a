//! Any bytes as a record: `BIGSEC_FUZZ_FORMAT` names the decoder or pack, without it every one is tried.
#![no_main]

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bigsec_event::{EventBatchBuilder, EventId, EventMeta, TimeBound};
use bigsec_parse::{PackSet, ParseOptions, Parsed, Parser};
use libfuzzer_sys::fuzz_target;

static PACKS: LazyLock<Arc<PackSet>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/bigsec/packs/parsers");
    Arc::new(PackSet::load(&folder).expect("the packs are sound"))
});

thread_local! {
    static STATE: RefCell<(Parser, Parsed, EventBatchBuilder)> = RefCell::new({
        let format = std::env::var("BIGSEC_FUZZ_FORMAT").ok().filter(|name| !name.is_empty());
        let options = ParseOptions::new(format, "UTC").expect("there is UTC");
        let parser = Parser::new(Arc::clone(&PACKS), options).expect("there is such a format");
        (parser, Parsed::new(), EventBatchBuilder::new(PACKS.maps()))
    });
}

fuzz_target!(|bytes: &[u8]| {
    STATE.with_borrow_mut(|(parser, parsed, builder)| {
        for line in bytes.split(|byte| *byte == b'\n') {
            parser.parse(line, 0, parsed);
            let meta = EventMeta {
                id: EventId::from_bytes([0; 16]),
                time_us: parsed.time_us,
                tz_offset_min: parsed.tz_offset_min,
                received_us: 0,
                bound: TimeBound::None,
                source: "fuzz",
                encoding: parsed.encoding,
                continued: false,
                keep_raw: true,
            };
            builder.append(&parsed.record, &parsed.map, &meta, parsed.derived());
        }
        if builder.is_full() {
            builder.finish();
        }
    });
});
