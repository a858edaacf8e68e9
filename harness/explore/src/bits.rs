//! Schedules as few bits: most choices are "stay", so only the others are written, each with how many
//! choices were skipped before it (Elias gamma code) and which alternative it took (unary).

/// Writes choices; trailing zeros need no bit.
pub(crate) fn pack(choices: &[u32]) -> Vec<u8> {
    let mut bits = Bits::default();
    let mut skipped = 0;
    for &choice in choices {
        if choice == 0 {
            skipped += 1;
            continue;
        }
        bits.gamma(skipped + 1);
        for _ in 1..choice {
            bits.push(true);
        }
        bits.push(false);
        skipped = 0;
    }
    bits.bytes
}

/// Reads choices back. Bits left over at the end are padding.
pub(crate) fn unpack(bytes: &[u8]) -> Vec<u32> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> (7 - i) & 1 == 1));
    let mut choices = Vec::new();
    while let Some((skipped, choice)) = deviation(&mut bits) {
        // No run has this many choices: a forged token must not exhaust memory.
        if choices.len() + skipped as usize > MOST_CHOICES {
            break;
        }
        choices.resize(choices.len() + skipped as usize, 0);
        choices.push(choice);
    }
    choices
}

const MOST_CHOICES: usize = 1 << 22;

fn deviation(bits: &mut impl Iterator<Item = bool>) -> Option<(u32, u32)> {
    let mut zeros = 0;
    while !bits.next()? {
        zeros += 1;
        if zeros > 30 {
            return None;
        }
    }
    let mut value = 1u32;
    for _ in 0..zeros {
        value = value << 1 | u32::from(bits.next()?);
    }
    let mut choice = 1;
    while bits.next()? {
        choice += 1;
    }
    Some((value - 1, choice))
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.used.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if bit && let Some(last) = self.bytes.last_mut() {
            *last |= 0x80 >> (self.used % 8);
        }
        self.used += 1;
    }

    fn gamma(&mut self, value: u32) {
        let length = value.ilog2();
        for _ in 0..length {
            self.push(false);
        }
        for i in (0..=length).rev() {
            self.push(value >> i & 1 == 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(choices: &[u32], bytes: usize) {
        let packed = pack(choices);
        let mut unpacked = unpack(&packed);
        unpacked.resize(choices.len(), 0);
        assert_eq!(unpacked, choices);
        assert_eq!(packed.len(), bytes);
    }

    #[test]
    fn staying_costs_nothing_and_a_switch_costs_bits() {
        check(&[], 0);
        check(&[0; 100], 0);
        check(&[1], 1);
        check(&[1, 1, 1, 1], 1);
        check(&[0, 0, 3, 0, 1, 2, 0], 2);
    }

    #[test]
    fn every_short_schedule_survives() {
        for n in 0..3u32.pow(7) {
            let choices: Vec<_> = (0..7).map(|i| n / 3u32.pow(i) % 3).collect();
            let mut back = unpack(&pack(&choices));
            back.resize(7, 0);
            assert_eq!(back, choices);
        }
    }
}
