//! The program bohr.
fn main() {}
