//! The platform as people and operators use it: the real program, real HTTP, from the first start on.
#![cfg(test)]

mod up;
