//! Holds gangplank against other implementations; see `tests/`.
