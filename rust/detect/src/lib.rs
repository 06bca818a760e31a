//! bigsec detect
