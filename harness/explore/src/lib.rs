//! Finding schedules that fail, and proving that none does.
//!
//! [`engine`]s run programs, [`strategy`]s make their choices. On top: [`search`] covers all schedules,
//! [`campaign`] samples them with a [`driver`](driver::Driver), [`fuzz`] learns from each which to run next,
//! [`shrink`] reduces a failing one to the few switches that matter, [`cause`](mod@cause) finds what decides, a
//! [`token`] holds it in a line of text, [`replay`] does it again, [`regression`] keeps it as a test, and [`cell`]
//! finds the verdict of a variant on a workload.

#![forbid(unsafe_code)]

pub mod beside;
mod bits;
pub mod campaign;
pub mod cause;
pub mod cell;
pub mod driver;
pub mod engine;
pub mod fuzz;
pub mod input;
pub mod jobs;
pub mod kernels;
pub mod programs;
pub mod proof;
pub mod regression;
pub mod replay;
pub mod search;
pub mod shrink;
pub mod stats;
pub mod strategy;
pub mod token;
pub mod unseen;
