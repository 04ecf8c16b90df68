//! HTTP plumbing: configuration, clock, guarded fetcher, problem details, limits. The edge.
