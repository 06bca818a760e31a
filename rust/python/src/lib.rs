//! bigsec python
