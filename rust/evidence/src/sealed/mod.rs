//! Sealed segments: an ended segment, compressed in blocks, any of which its parity makes whole.

mod block;
mod read;
mod repair;
mod write;

#[cfg(test)]
mod tests;

pub use read::{BlockState, SealedDamage, SealedFile, SealedFinding};
pub use write::{Prepared, SEAL_SUFFIX, Sealed, adopt, prepare, seal_segment};
