//! What other programs are given, as these programs read it.

mod campaign;
mod junit;
mod sarif;
mod shiviz;
mod summary;
