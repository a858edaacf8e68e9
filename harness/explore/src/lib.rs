//! Engines, strategies, campaigns, exhaustive search, tokens and shrinking.

#![forbid(unsafe_code)]

pub mod engine;
pub mod search;
pub mod strategy;
