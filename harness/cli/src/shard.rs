//! Shards: a command split among machines that know nothing of each other.
//!
//! What a command has to do is a list of *units*, the same whatever the number of shards: the verdict of a form on a
//! workload, a campaign from one seed, a proof. Shard `i/n` does each n-th of them from the i-th on, and of a proof by
//! traces each n-th part. So the results depend neither on the number of shards nor on which of them was quicker, and
//! [`merge`](crate::merge) prints what one machine would have.
//!
//! A unit is kept the moment it is done, and a shard that starts again does only what is not kept. See [`Work`].

mod campaign;
mod work;

use crate::exit::Error;
use bohr_explore::proof::Share;
pub use campaign::Campaign;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
pub use work::{Head, ShardFile, Work, head, program};

/// One of so many shards, counted from 1.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// Which one, from 1.
    pub fn number(self) -> usize {
        self.index + 1
    }

    /// Of how many.
    pub fn of(self) -> usize {
        self.of
    }

    /// True if this unit, counted from 0, is its to do.
    pub fn has(self, unit: usize) -> bool {
        unit % self.of == self.index
    }

    /// Its share of a proof.
    pub fn share(self) -> Share {
        Share { index: self.index, of: self.of }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number(), self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(i, of)| Some((i.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((0, of)) if of > 0 => Err(format!("shards are counted from 1: the first is 1/{of}")),
            Some((i, of)) if i > of => Err(format!("there is no shard {i} of {of}; the last is {of}/{of}")),
            Some((i, of)) => Ok(Shard { index: usize::checked_sub(i, 1).ok_or("there are no shards")?, of }),
            None => Err("give I/N, the number of the shard and of how many, such as 2/3".to_owned()),
        }
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The first error of several threads.
#[derive(Default)]
pub struct Failed(Mutex<Option<Error>>);

impl Failed {
    /// Takes an error, if it is one; then false.
    pub fn note(&self, done: Result<(), Error>) -> bool {
        let Err(e) = done else { return true };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e);
        false
    }

    /// The error, if there was one.
    pub fn check(self) -> Result<(), Error> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn shards_are_counted_from_one() {
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|s| s.parse().unwrap()).collect();
        assert_eq!(shards[1].to_string(), "2/3");
        for unit in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(unit)).count(), 1, "{unit}");
        }
        for bad in ["0/3", "4/3", "0/0", "1/0", "", "/", "1", "1/", "-1/2", "1/2/3", "a/b"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad:?}");
        }
    }
}
