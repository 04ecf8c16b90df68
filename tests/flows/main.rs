//! The platform as people and operators use it: the real program, real HTTP, from the first start on.
#![cfg(test)]

mod by_hand;
mod deltas;
mod did_web;
mod extracts;
mod federation;
mod governance;
mod log_files;
mod mdoc;
mod offline;
mod openid_federation;
mod own_agency;
mod projections;
mod second_key;
mod selective;
mod store;
mod story;
mod suspension;
mod tls;
mod trust_anchors;
mod up;
mod vc_api;
mod watching;
