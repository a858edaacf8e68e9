//! Programs out of bytes. Each is about few primitives, so that its goroutines meet.

use super::{Case, Channel, Function, Goroutines, Op};
use arbitrary::{Arbitrary, Result, Unstructured};

impl<'a> Arbitrary<'a> for Goroutines {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let recovers = bytes.ratio(1, 3)?;
        let families = [bytes.int_in_range(0..=FAMILIES - 1)?, bytes.int_in_range(0..=FAMILIES - 1)?];
        let second = bytes.ratio(1, 3)?;
        let number = 1 + bytes.int_in_range(0..=4u8)?.div_ceil(2);
        let body = |bytes: &mut Unstructured<'a>| {
            let length = 1 + bytes.int_in_range(0..=(if number == 3 { 2u8 } else { 3 }))?;
            let op = |bytes: &mut Unstructured<'a>| {
                let other = second && bytes.arbitrary()?;
                op(bytes, families[usize::from(other)])
            };
            (0..length).map(|_| op(bytes)).collect::<Result<Vec<_>>>()
        };
        let bodies = (0..number).map(|_| body(bytes)).collect::<Result<_>>()?;
        Ok(Goroutines { recovers, bodies })
    }
}

/// The number of families of primitives.
const FAMILIES: u8 = 10;

fn op(bytes: &mut Unstructured<'_>, family: u8) -> Result<Op> {
    let which: u8 = bytes.int_in_range(0..=11)?;
    let small: i8 = bytes.int_in_range(0..=2)?;
    let key: u8 = bytes.int_in_range(0..=1)?;
    let value = small as u8;
    Ok(match family {
        0 => [Op::Lock, Op::Unlock, Op::TryLock][usize::from(which % 3)],
        1 => match which % 8 {
            0 | 1 => Op::RLock,
            2 => Op::RUnlock,
            3 => Op::WLock,
            4 => Op::WUnlock,
            5 => Op::TryRLock,
            6 => Op::TryWLock,
            _ => Op::RUnlock,
        },
        2 => match which % 3 {
            0 => Op::Wait,
            1 => Op::Add(-1),
            _ => Op::Add(small),
        },
        3 => Op::Once(match which {
            0..=6 => Function::Returns,
            7..=9 => Function::Panics,
            _ => Function::CallsDo,
        }),
        4 => match which % 6 {
            0 | 1 => Op::CondWait,
            2 => Op::Signal,
            3 => Op::Broadcast,
            4 => Op::Lock,
            _ => Op::Unlock,
        },
        5 => match which {
            0..=2 => Op::Send(channel(bytes)?),
            3..=5 => Op::Receive(channel(bytes)?),
            6 => Op::TrySend(channel(bytes)?),
            7 => Op::TryReceive(channel(bytes)?),
            8 | 9 => Op::Close(channel(bytes)?),
            10 => Op::Len(channel(bytes)?),
            _ => Op::Select([case(bytes)?, case(bytes)?], bytes.ratio(1, 3)?),
        },
        6 => match which % 4 {
            0 => Op::Send(channel(bytes)?),
            1 => Op::Receive(channel(bytes)?),
            2 if key == 0 => Op::Close(channel(bytes)?),
            _ => Op::Select([case(bytes)?, case(bytes)?], bytes.ratio(1, 4)?),
        },
        7 => match which % 5 {
            0 => Op::Load,
            1 => Op::Store(small),
            2 => Op::AddTo(small - 1),
            3 => Op::CompareAndSwap(small, small + 1),
            _ => Op::Swap(small),
        },
        8 => match which % 6 {
            0 => Op::MapLoad(key),
            1 => Op::MapStore(key, value),
            2 => Op::MapLoadOrStore(key, value),
            3 => Op::MapLoadAndDelete(key),
            4 => Op::MapCompareAndSwap(key, value, value + 1),
            _ => Op::MapClear,
        },
        _ => match which {
            0 | 1 => Op::Cancel(key == 0),
            2 => Op::Err(key == 0),
            3 => Op::Done(key == 0),
            4 | 5 => Op::Sleep(value + 1),
            6 | 7 => Op::TimerReceive,
            8 => Op::TimerTryReceive,
            9 => Op::TimerStop,
            _ => Op::TimerReset(value + 1),
        },
    })
}

fn channel(bytes: &mut Unstructured<'_>) -> Result<Channel> {
    Ok(match bytes.int_in_range(0..=8u8)? {
        0..=3 => Channel::Plain,
        4..=7 => Channel::Buffered,
        _ => Channel::Nil,
    })
}

fn case(bytes: &mut Unstructured<'_>) -> Result<Case> {
    let channel = channel(bytes)?;
    Ok(if bytes.arbitrary()? { Case::Send(channel) } else { Case::Receive(channel) })
}
