//! The fixed form: no input may crash it.
#![no_main]

bohr_fuzz::scenario!(submariner_image_log::ImageLog, "fixed", bohr_fuzz::Crashes::Surprises);
