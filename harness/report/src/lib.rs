//! Findings and campaigns as text, Markdown, pages, pictures and JSON.
//!
//! The path of a report: [`model`] holds plain data, [`report`] turns it into a [`document`] (which
//! reads the [`cause`] off the trace, lays the schedule out as a [`schedule`] table and quotes the
//! failure in [Go's own format](go_format)), and [`text`] and [`markdown`] print any document. [`json`] is the same for
//! programs. From that come the [`picture`] of a schedule, and the [`page`], which a reader can step through.
//!
//! The same data gives the same bytes on any machine: nothing here looks at the clock, the
//! environment, an address or the order of a hash map, and paths above the workspace are cut off.

#![forbid(unsafe_code)]

pub mod cause;
pub mod document;
pub mod export;
pub mod go_format;
pub mod index;
pub mod json;
pub mod markdown;
pub mod model;
mod names;
mod numbers;
pub mod page;
pub mod picture;
pub mod report;
pub mod schedule;
pub mod stored;
pub mod text;

pub use cause::Cause;
pub use model::{BugReport, Case};
