//! Plain variables: memory that nothing protects.

use crate::race::Shadow;
use crate::{Access, Name, Obj};

/// A plain shared variable. Reads and writes are operations of their own, and two that no
/// happens-before edge orders are a data race if one of them writes.
#[derive(Debug)]
pub struct Var<T>(Obj<State<T>>);

struct State<T> {
    value: T,
    shadow: Shadow,
    what: Name,
}

impl<T> Copy for Var<T> {}
impl<T> Clone for Var<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Clone + std::fmt::Debug + Send + 'static> Var<T> {
    /// A variable. Giving it its first value is part of making it, not a write.
    #[track_caller]
    pub fn new(name: impl Into<Name>, value: T) -> Self {
        let what = name.into();
        let state = State { value, shadow: Shadow::default(), what: what.clone() };
        Var(Obj::create("var", what, state))
    }

    /// Reads.
    #[track_caller]
    pub fn get(&self) -> T {
        self.0.op("read", Access::Read).run(|s, cx| {
            cx.plain_read(&mut s.shadow, &s.what);
            cx.note(|| format!("{:?}", s.value));
            s.value.clone()
        })
    }

    /// Writes.
    #[track_caller]
    pub fn set(&self, value: T) {
        self.0.op("write", Access::Write).run(|s, cx| {
            cx.plain_write(&mut s.shadow, &s.what);
            cx.note(|| format!("{:?} -> {value:?}", s.value));
            s.value = value;
        });
    }

    /// Looks without an operation: for oracles.
    pub fn peek(&self) -> T {
        self.0.peek(|s| s.value.clone())
    }
}
