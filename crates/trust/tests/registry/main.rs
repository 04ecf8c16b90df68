//! The registry's rules, each broken once and alone, on a small nation made for the purpose.

#![cfg(test)]

mod accreditations;
mod approvals;
mod approvers;
mod audits;
mod bundles;
mod deltas;
mod did_web;
mod dids;
mod extracts;
mod forks;
mod nation;
mod openid_federation;
mod policies;
mod projections;
mod replay;
mod schemas;
mod second_reader;
mod second_signature;
mod snapshots;
mod status_lists;
mod trqp;
mod witnesses;
