//! Everything that is refused.

mod broken;
mod logs;
mod rows;
mod signing;
mod startup;
mod startup_ca;
mod startup_folders;
mod transport;
