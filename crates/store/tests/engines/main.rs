//! Tests of the engines through the public API: the contract that all keep, and what happens to
//! what was acknowledged when processes are killed, files damaged and disks full.

#![cfg(test)]

mod contract;
mod copying;
mod crash;
mod damage;
mod full_disk;
mod place;
mod postgres;
