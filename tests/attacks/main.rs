//! What a stranger, a thief and a clumsy client try, against the real program.
#![cfg(test)]

mod administration;
mod bodies;
mod entries;
mod full_disk;
mod issuance;
mod mdoc;
mod presentation;
mod revocation;
mod rollback;
mod slow;
mod vc_api;
mod withheld;
mod witness;
