//! What a stranger, a thief and a clumsy client try, against the real program.
#![cfg(test)]
