//! What can be measured, one file each.

pub mod all;

pub mod alloc;
pub mod backed;
pub mod instr;
pub mod lost;
pub mod map;
pub mod memory;
pub mod threads;
pub mod time;
pub mod token;

mod costs;
