//! Reports on programs that really ran.

mod causes;
mod exports;
mod go;
mod kinds;
mod layout;
mod schema;
mod support;
mod whole;
