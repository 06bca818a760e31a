//! What the log itself tells at a start: how far files were read, and what senders sent last.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bigsec_evidence::storage::Storage;
use bigsec_evidence::{LogError, LogReader, Next};

use super::positions::Positions;
use crate::source::Doubles;

/// Records at the end of the log of which it is remembered who sent them.
const REMEMBERED: u64 = 1 << 17;

/// What the log told.
pub(super) struct Recall {
    pub positions: Positions,
    pub doubles: BTreeMap<String, Arc<Doubles>>,
}

impl Recall {
    /// Reads the end of the log: from where the saved positions end, or its last records.
    pub fn of(
        storage: &Arc<dyn Storage>,
        folder: &Path,
        data: &Path,
        durable: u64,
    ) -> Result<Self, LogError> {
        let log = LogReader::open(Arc::clone(storage), folder)?;
        let mut positions = Positions::load(storage.as_ref(), data, log.key(), durable);
        let mut doubles: BTreeMap<String, Arc<Doubles>> = BTreeMap::new();
        let remembered = durable.saturating_sub(REMEMBERED);
        let mut cursor = log.at(positions.size().min(remembered).max(log.first()?))?;
        while let Some(next) = cursor.next(durable)? {
            let Next::Record { sequence, record, .. } = next else { continue };
            if let Some(position) = record.position {
                positions.reach(record.source, position);
            }
            if let Some(peer) = record.peer.filter(|_| sequence >= remembered) {
                if !doubles.contains_key(record.source) {
                    doubles.insert(record.source.to_owned(), Arc::default());
                }
                if let Some(known) = doubles.get(record.source) {
                    known.seed(peer.ip(), record.payload);
                }
            }
        }
        positions.cover(durable);
        Ok(Self { positions, doubles })
    }
}
