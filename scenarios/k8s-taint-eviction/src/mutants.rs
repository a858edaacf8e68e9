//! Plausible wrong fixes, and partial ones.

mod around;
mod reference;
mod upstream;

pub use around::{
    AlwaysReevaluate, AtLeastOne, EventAtLeastOne, EventOnly, IgnoreTimeout, NoSettle, OwnPodCopy,
    OwnPodCopyWithoutNode, Sleep, SliceHandlerEarly,
};
pub use reference::{
    RefCancelTrueRunning, RefCheckOutsideLock, RefDropAll, RefIgnoreUid, RefLockGap, RefNoClaim,
    RefNoDeleteAtFinish, RefNoToken, RefReplaceRunning,
};
pub use upstream::{
    CancelTrueRunning, CheckOutsideLock, DropAll, KeepNilAfterFinish, LockGap, NoDeleteAtFinish, Placeholder,
    RecoverLeak, RecoverUnlock, ReplaceRunning, StartBeforeInsert, TokenUid, TokenUidFlag, ZeroTimer,
};
