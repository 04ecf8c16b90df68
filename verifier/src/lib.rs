//! The offline verification engine: one function, whose Ok is the evidence. Pure.
