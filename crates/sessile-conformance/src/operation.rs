//! The operations of a store, by name.

/// An operation of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// [`Store::create`](sessile_core::Store::create).
    Create,
    /// [`Store::load`](sessile_core::Store::load).
    Load,
    /// [`Store::apply`](sessile_core::Store::apply).
    Apply,
    /// [`Store::end`](sessile_core::Store::end).
    End,
    /// [`Store::list`](sessile_core::Store::list).
    List,
    /// [`Store::count`](sessile_core::Store::count).
    Count,
    /// [`Store::sweep`](sessile_core::Store::sweep).
    Sweep,
    /// [`Store::ping`](sessile_core::Store::ping).
    Ping,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 8] = [
        Operation::Create,
        Operation::Load,
        Operation::Apply,
        Operation::End,
        Operation::List,
        Operation::Count,
        Operation::Sweep,
        Operation::Ping,
    ];
}
