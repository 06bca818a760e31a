//! bigsec parse
pub mod decode;
pub mod encoding;
pub mod pattern;
pub mod time;
