//! The hub's protocol: states, messages and rules, without I/O. Each step takes state, message, time and
//! randomness, and gives the new state or an error.

pub mod call;
pub mod commitment;
pub mod consent;
pub mod context;
pub mod field;
pub mod grant;
pub mod id;
pub mod openapi;
pub mod proof;
pub mod publication;
pub mod record;
pub mod statement;
pub mod token;
