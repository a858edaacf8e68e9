//! The fixed form: no input may crash it.
#![no_main]

bohr_fuzz::scenario!(crio_event_broadcast::EventBroadcast, "fixed", bohr_fuzz::Crashes::Surprises);
