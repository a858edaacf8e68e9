//! Reports on programs that really ran.

mod causes;
mod kinds;
mod layout;
mod schema;
mod support;
mod whole;
