# Shortcuts. Everything here is plain cargo underneath.

# The platform with the sample nation on http://127.0.0.1:8080.
up *ARGS:
    cargo run --release -- up --sample {{ARGS}}

# Everything the project tests; installs what the tests need and says so first.
test *ARGS:
    cargo xtask test {{ARGS}}

# What CI checks before the tests.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Writes generated files anew; `git status` shows what was stale.
update:
    cargo xtask sample

bench *ARGS:
    cargo bench --package benches {{ARGS}}

# Ours beside other implementations, into benches/RESULTS.md; installs and builds them.
bench-peers:
    cargo xtask bench-peers

fuzz TARGET SECONDS="60":
    cargo xtask fuzz {{TARGET}} --seconds {{SECONDS}}
