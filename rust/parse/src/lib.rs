//! bigsec parse
