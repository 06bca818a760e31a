//! bigsec detect
mod fold;
mod sigma;
mod suggest;
mod yaml;
