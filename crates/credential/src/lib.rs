//! SD-JWT VC, VC-JOSE-COSE, Data Integrity and status lists: bytes to authentic credentials. Pure.
