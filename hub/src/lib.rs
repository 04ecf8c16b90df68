//! The data exchange: catalogue, access, data path, evidence log.
