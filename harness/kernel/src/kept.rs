//! A list whose items stay where they are from one run to the next.

use std::ops::{Deref, DerefMut};

/// A list that is cleared without dropping its items, so that later ones are made of them: they have the memory
/// that they need, and a run mostly makes the same ones again.
pub(crate) struct Kept<T> {
    items: Vec<T>,
    /// How many of them there are; the others wait to be used again.
    live: usize,
}

impl<T> Kept<T> {
    pub(crate) const fn new() -> Self {
        Kept { items: Vec::new(), live: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.live = 0;
    }

    /// Adds an item, for the caller to make what it should be of it: it was here before, or is `blank`.
    #[inline]
    pub(crate) fn add(&mut self, blank: impl FnOnce() -> T) -> &mut T {
        let place = self.live;
        if place == self.items.len() {
            self.items.push(blank());
        }
        self.live += 1;
        &mut self.items[place]
    }
}

impl<T> Deref for Kept<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.items[..self.live]
    }
}

impl<T> DerefMut for Kept<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items[..self.live]
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn what_was_cleared_is_gone_but_its_memory_is_used_again() {
        let mut list = Kept::new();
        let add = |list: &mut Kept<String>, text: &str| text.clone_into(list.add(String::new));
        add(&mut list, "first");
        add(&mut list, "second");
        let place = list[0].as_ptr();
        list.clear();
        assert!(list.is_empty());
        add(&mut list, "third");
        assert_eq!(*list, ["third"]);
        assert_eq!(list[0].as_ptr(), place);
    }
}
