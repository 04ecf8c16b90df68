//! The wallet's core: what is held, what a request asks, what is presented. Pure.
