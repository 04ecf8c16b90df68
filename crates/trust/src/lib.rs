//! The trust registry's log, state machine, snapshot and bundle. Pure.

pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod tiles;
pub mod tlog_policy;

mod codec;
