//! The kinds of values that flags have, written as Go's flags are.

mod duration;
mod host;
mod list;
mod optional;
mod password;
mod switch;

pub(crate) use self::{
    duration::duration,
    host::Host,
    list::{List, list},
    optional::Optional,
    password::Password,
    switch::Switch,
};
