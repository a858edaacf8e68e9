//! Programs in a line of text.

use super::{Body, Do, Small};
use std::fmt::{Display, Formatter, Result};

impl Display for Small {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let flags = [
            (self.joins, "join "),
            (self.leaks, "leaks "),
            (self.eager_time, "eager "),
            (self.keep_going, "keep-going "),
        ];
        for (_, flag) in flags.iter().filter(|(set, _)| *set) {
            f.write_str(flag)?;
        }
        for (at, task) in self.tasks.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " | " })?;
            body(f, task)?;
        }
        Ok(())
    }
}

fn body(f: &mut Formatter<'_>, body: &Body) -> Result {
    for (at, what) in body.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { "; " })?;
        what.fmt(f)?;
    }
    Ok(())
}

impl Display for Do {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Do::Load(x) => write!(f, "load x{x}"),
            Do::Store(x, value) => write!(f, "x{x}={value}"),
            Do::Pass(x) => write!(f, "x{x}=last+1"),
            Do::Count(x) => write!(f, "x{x}++"),
            Do::Add(x, value) => write!(f, "add x{x} {value}"),
            Do::Await(x, value) => write!(f, "await x{x}=={value}"),
            Do::Take(x) => write!(f, "take x{x}"),
            Do::Swap => write!(f, "swap x0 x1"),
            Do::AwaitEither(value) => write!(f, "await x0=={value} or x1=={value}"),
            Do::Get(v) => write!(f, "get v{v}"),
            Do::Set(v, value) => write!(f, "set v{v} {value}"),
            Do::Lock(m) => write!(f, "lock m{m}"),
            Do::TryLock(m) => write!(f, "trylock m{m}"),
            Do::Unlock(m) => write!(f, "unlock m{m}"),
            Do::Send(c, value) => write!(f, "c{c}<-{value}"),
            Do::Receive(c) => write!(f, "<-c{c}"),
            Do::Select => write!(f, "<-c0 or <-c1"),
            Do::ReceiveUntil(c, at) => write!(f, "<-c{c} until {at}"),
            Do::Choose(of) => write!(f, "choose {of}"),
            Do::Make => write!(f, "make"),
            Do::Spawn(child) => {
                f.write_str("go {")?;
                body(f, child)?;
                f.write_str("}")
            }
            Do::Join => write!(f, "join"),
            Do::Sleep(at) => write!(f, "sleep {at}"),
            Do::Now => write!(f, "now"),
            Do::MayEnd => write!(f, "may end"),
            Do::EndIf(value) => write!(f, "end if {value}"),
            Do::PanicIf(value) => write!(f, "panic if {value}"),
            Do::ViolateIf(value) => write!(f, "violate if {value}"),
        }
    }
}
