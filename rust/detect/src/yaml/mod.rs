//! YAML as a tree in which every node knows its line and column.
//!
//! Rule files come from strangers: size, depth, number of nodes and what aliases may multiply are
//! bounded, and whatever is wrong becomes a [`Problem`](bigsec_event::Problem) with its place.

mod merge;
mod parse;
mod report;
mod scalar;
mod tree;

pub(crate) use merge::update;
pub(crate) use parse::{MAX_BYTES, parse};
pub(crate) use report::Report;
pub(crate) use tree::{Data, Node, Span};
