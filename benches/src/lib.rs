//! What the benches and `instructions` share: the things that are signed and verified, and the
//! gangplank and bare operations over them.

pub mod cases;
pub mod material;
pub mod race;
