//! The engine against whole registries: what is accepted, and each refusal by itself.
#![cfg(test)]

mod answer;
mod mdoc;
mod nation;
mod request;
mod sd_jwt_vc;
mod trust_anchors;
mod w3c;
