//! What the tests against real servers share with the demo: a control plane, the AWS emulators, the operator's process,
//! and waiting.
//!
//! Each test binary includes this module and uses its own part of it, so that unused items are no mistake.
#![allow(dead_code)]

pub(crate) mod control_plane;
pub(crate) mod emulators;
pub(crate) mod fault_proxy;
pub(crate) mod node;
pub(crate) mod operator;
pub(crate) mod plain_http;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod wait;
