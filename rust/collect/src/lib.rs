//! bigsec collect
