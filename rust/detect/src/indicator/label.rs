//! What a feed says of its indicators; most of them share it.

use crate::Level;

/// What is said of an indicator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// What it belongs to: a family of malware, a campaign; empty where the feed does not say.
    pub name: String,
    /// How bad a hit is.
    pub level: Level,
    /// The file that it came in.
    pub source: String,
    /// Tags as Sigma writes them (`attack.t1071`), parted by blanks.
    pub tags: String,
    /// Where to read on.
    pub reference: String,
}
