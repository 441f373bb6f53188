//! Tests of the pure rooms through their public face: no client, no clock, no task.

mod golden;
mod outside;
mod plan;
mod status;
mod units;
mod walls;
mod world;
