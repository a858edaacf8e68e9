//! `sync/atomic`.

use crate::panics::panic_at;
use bohr_kernel::{Access, Clock, Cx, Name, Obj};
use std::any::{Any, TypeId};
use std::fmt::Debug;
use std::panic::Location;
use std::sync::Arc;

/// A variable with atomic operations, sequentially consistent: `atomic.Int32`, `atomic.Bool`,
/// `atomic.Pointer` and the others (sync/atomic/type.go).
///
/// What an operation observes is ordered before it; a store that nobody observed orders nothing.
pub struct Atomic<T>(Obj<State<T>>);

/// As `atomic.Int32`.
pub type Int32 = Atomic<i32>;
/// As `atomic.Int64`.
pub type Int64 = Atomic<i64>;
/// As `atomic.Uint32`.
pub type Uint32 = Atomic<u32>;
/// As `atomic.Uint64`.
pub type Uint64 = Atomic<u64>;
/// As `atomic.Bool`.
pub type Bool = Atomic<bool>;
/// As `atomic.Pointer`: nothing is nil.
pub type Pointer<T> = Atomic<Option<T>>;

struct State<T> {
    value: T,
    clock: Clock,
}

impl<T> Copy for Atomic<T> {}
impl<T> Clone for Atomic<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Clone + Debug + Send + 'static> Atomic<T> {
    /// A variable with its first value.
    #[track_caller]
    pub fn new(name: impl Into<Name>, value: T) -> Self {
        Atomic(Obj::create("atomic", name, State { value, clock: Clock::new() }))
    }

    /// Reads.
    #[track_caller]
    pub fn load(&self) -> T {
        self.0.op("Load", Access::Read).run(|s, cx| {
            cx.acquire(&s.clock);
            cx.note(|| format!("{:?}", s.value));
            s.value.clone()
        })
    }

    /// Writes. It observes nothing, so it is ordered after nothing.
    #[track_caller]
    pub fn store(&self, value: T) {
        self.0.op("Store", Access::Write).run(|s, cx| {
            cx.note(|| format!("{:?} -> {value:?}", s.value));
            s.value = value;
            cx.release(&mut s.clock);
        });
    }

    /// Writes and gives the value before.
    #[track_caller]
    pub fn swap(&self, value: T) -> T {
        self.0.op("Swap", Access::Write).run(|s, cx| s.modify(value, cx))
    }

    /// Writes `new` if the value is `old`, and says whether it did. Failing is only a read.
    #[track_caller]
    pub fn compare_and_swap(&self, old: &T, new: T) -> bool
    where
        T: PartialEq,
    {
        self.0.op("CompareAndSwap", Access::Write).run(|s, cx| {
            if s.value != *old {
                cx.acquire(&s.clock);
                cx.note(|| format!("{:?}, not {old:?}: false", s.value));
                return false;
            }
            s.modify(new, cx);
            true
        })
    }

    /// Looks without an operation: for oracles.
    pub fn peek(&self) -> T {
        self.0.peek(|s| s.value.clone())
    }

    #[track_caller]
    fn update(&self, label: &'static str, next: impl FnOnce(T) -> T) -> (T, T) {
        self.0.op(label, Access::Write).run(|s, cx| {
            let new = next(s.value.clone());
            (s.modify(new.clone(), cx), new)
        })
    }
}

impl<T: Debug> State<T> {
    fn modify(&mut self, value: T, cx: &mut Cx<'_>) -> T {
        cx.note(|| format!("{:?} -> {value:?}", self.value));
        cx.acquire(&self.clock);
        cx.release(&mut self.clock);
        std::mem::replace(&mut self.value, value)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Atomic<$number> {
            /// Adds, wrapping round, and gives the new value.
            #[track_caller]
            pub fn add(&self, delta: $number) -> $number {
                self.update("Add", |value| value.wrapping_add(delta)).1
            }

            /// Takes the bitwise and, and gives the *old* value.
            #[track_caller]
            pub fn and(&self, mask: $number) -> $number {
                self.update("And", |value| value & mask).0
            }

            /// Takes the bitwise or, and gives the *old* value.
            #[track_caller]
            pub fn or(&self, mask: $number) -> $number {
                self.update("Or", |value| value | mask).0
            }
        }
    )*};
}

numbers!(i32, i64, u32, u64);

/// A variable for values of one type, known only when the first is stored: `atomic.Value`
/// (sync/atomic/value.go).
#[derive(Copy, Clone, Debug)]
pub struct Value(Obj<State<Boxed>>);

type Boxed = Option<Arc<dyn Any + Send + Sync>>;

impl Value {
    /// One in which nothing was stored.
    #[track_caller]
    pub fn new(name: impl Into<Name>) -> Self {
        Value(Obj::create("atomic.Value", name, State { value: None, clock: Clock::new() }))
    }

    /// The value, if one was stored. The type is the one that a type assertion in Go would name.
    #[track_caller]
    pub fn load<T: Any + Clone>(&self) -> Option<T> {
        self.0.op("Load", Access::Read).run(|s, cx| {
            cx.acquire(&s.clock);
            s.value.as_ref()?.downcast_ref().cloned()
        })
    }

    /// Stores a value.
    ///
    /// Panics: `sync/atomic: store of inconsistently typed value into Value`.
    #[track_caller]
    pub fn store<T: Any + Send + Sync>(&self, value: T) {
        let stored = self.0.op("Store", Access::Write).run(|s, cx| {
            if !s.takes(TypeId::of::<T>()) {
                return false;
            }
            s.value = Some(Arc::new(value));
            cx.release(&mut s.clock);
            true
        });
        if !stored {
            panic_at("sync/atomic: store of inconsistently typed value into Value", Location::caller());
        }
    }

    /// Stores nil, which panics: `sync/atomic: store of nil value into Value`.
    #[track_caller]
    pub fn store_nil(&self) -> ! {
        panic_at("sync/atomic: store of nil value into Value", Location::caller())
    }

    /// Stores a value and gives the one before.
    ///
    /// Panics: `sync/atomic: swap of inconsistently typed value into Value`.
    #[track_caller]
    pub fn swap<T: Any + Clone + Send + Sync>(&self, value: T) -> Option<T> {
        let old = self.0.op("Swap", Access::Write).run(|s, cx| {
            if !s.takes(TypeId::of::<T>()) {
                return None;
            }
            cx.acquire(&s.clock);
            cx.release(&mut s.clock);
            let old = s.value.replace(Arc::new(value));
            Some(old.and_then(|v| v.downcast_ref().cloned()))
        });
        let site = Location::caller();
        old.unwrap_or_else(|| panic_at("sync/atomic: swap of inconsistently typed value into Value", site))
    }

    /// Stores `new` if the value is `old`, where nothing means that none was stored, and says whether
    /// it did.
    ///
    /// Panics: `sync/atomic: compare and swap of inconsistently typed value into Value`.
    #[track_caller]
    pub fn compare_and_swap<T: Any + PartialEq + Send + Sync>(&self, old: Option<T>, new: T) -> bool {
        let swapped = self.0.op("CompareAndSwap", Access::Write).run(|s, cx| {
            if !s.takes(TypeId::of::<T>()) {
                return None;
            }
            cx.acquire(&s.clock);
            let equal = s.value.as_ref().and_then(|v| v.downcast_ref::<T>()) == old.as_ref();
            if equal {
                cx.release(&mut s.clock);
                s.value = Some(Arc::new(new));
            }
            Some(equal)
        });
        let site = Location::caller();
        let text = "sync/atomic: compare and swap of inconsistently typed value into Value";
        swapped.unwrap_or_else(|| panic_at(text, site))
    }
}

impl State<Boxed> {
    fn takes(&self, new: TypeId) -> bool {
        self.value.as_ref().is_none_or(|v| (**v).type_id() == new)
    }
}
