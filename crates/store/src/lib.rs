//! One ordered key-value store with transactions: fjall, sled or PostgreSQL. The edge.
