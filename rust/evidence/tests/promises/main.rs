//! The promises P3, P5, P6 and P10 of the evidence log, on a simulated machine.
//!
//! `BIGSEC_SEED` sets another seed than the fixed one; each test prints its own.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

mod machine;
mod p10;
mod p3;
mod p5;
mod p6;

/// The seed of this run.
fn seed() -> u64 {
    let told = std::env::var("BIGSEC_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = told.unwrap_or(20_261_125);
    println!("BIGSEC_SEED={seed}");
    seed
}
