//! Wiring, reload, drain.
