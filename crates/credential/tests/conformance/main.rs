//! The public interface against the vectors of the standards. The plain SD-JWT mechanism is private; its vectors
//! are run in `src/sd_jwt/vectors.rs`.
#![cfg(test)]

mod sd_jwt_vc;
mod status_list;
mod vc_data_model;
mod vc_jose_cose;
mod vectors;
