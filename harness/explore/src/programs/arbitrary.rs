//! Programs out of bytes.

use super::{Body, Do, Small};
use arbitrary::{Arbitrary, Result, Unstructured};
use bohr_kernel::digest;

/// How deep spawning nests.
const NESTED: u32 = 2;

impl Small {
    /// The `n`th of a fixed list of random programs.
    pub fn nth(n: u64) -> Small {
        let bytes: Vec<u8> = (0..64).flat_map(|word| digest(&(n, word)).to_le_bytes()).collect();
        Small::arbitrary(&mut Unstructured::new(&bytes)).expect("there are bytes enough")
    }
}

impl<'a> Arbitrary<'a> for Small {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let number = 2 + u32::from(bytes.ratio(1, 2)?) + u32::from(bytes.ratio(1, 6)?);
        // Half of the programs are about few kinds of operations: these meet more often.
        let kinds = if bytes.arbitrary()? {
            Some([KINDS; 4].map(|kinds| bytes.int_in_range(0..=kinds - 1)))
        } else {
            None
        };
        let kinds = match kinds {
            Some([a, b, c, d]) => vec![a?, b?, c?, d?],
            None => (0..KINDS).collect(),
        };
        let tasks = (0..number).map(|_| body(bytes, &kinds, NESTED)).collect::<Result<_>>()?;
        Ok(Small {
            tasks,
            joins: bytes.ratio(1, 4)?,
            leaks: bytes.ratio(1, 2)?,
            eager_time: bytes.ratio(1, 3)?,
            keep_going: bytes.ratio(1, 3)?,
        })
    }
}

fn body(bytes: &mut Unstructured<'_>, kinds: &[u32], nested: u32) -> Result<Body> {
    // 2 to 6, the shorter the likelier: the number of schedules grows with the factorial.
    let length = 2 + bytes.int_in_range(0..=4)?.min(bytes.int_in_range(0..=4)?);
    (0..length).map(|_| what(bytes, kinds, nested)).collect()
}

/// The number of kinds of things to do.
const KINDS: u32 = 28;

fn what(bytes: &mut Unstructured<'_>, kinds: &[u32], nested: u32) -> Result<Do> {
    let which: u8 = bytes.int_in_range(0..=1)?;
    let value: u8 = bytes.int_in_range(0..=2)?;
    Ok(match bytes.choose(kinds)? {
        0 => Do::Load(which),
        1 => Do::Store(which, value),
        2 => Do::Pass(which),
        3 => Do::Count(which),
        4 => Do::Add(which, [1, 2, -1][usize::from(value)]),
        5 => Do::Await(which, value),
        6 => Do::Take(which),
        7 => Do::Swap,
        8 => Do::AwaitEither(value),
        9 => Do::Get(which),
        10 => Do::Set(which, value),
        11 => Do::Lock(which),
        12 => Do::TryLock(which),
        13 => Do::Unlock(which),
        14 => Do::Send(which, value),
        15 => Do::Receive(which),
        16 => Do::Select,
        17 => Do::ReceiveUntil(which, value),
        18 => Do::Choose(2),
        19 => Do::Make,
        20 if nested > 0 => Do::Spawn(body(bytes, kinds, nested - 1)?),
        20 | 21 => Do::Join,
        22 => Do::Sleep(value),
        23 => Do::Now,
        24 => Do::EndIf(value),
        25 => Do::PanicIf(value),
        26 => Do::MayEnd,
        _ => Do::ViolateIf(value),
    })
}
