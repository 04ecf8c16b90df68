//! The trust registry's log, state machine, snapshot and bundle. Pure.
