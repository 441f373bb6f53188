//! Sizes and costs: numbers that grow without ever wrapping around.
//!
//! The unit of cost is that of Kubernetes: one step of the evaluation, or ten characters that are looked at.

use std::ops::{Add, AddAssign, Mul};

/// How many characters or elements something has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(pub u64);

/// How many steps an evaluation takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Cost(pub(super) u64);

/// Characters that one step looks at.
const CHARACTERS: u64 = 10;

impl Size {
    /// The cost of looking at each character.
    pub(super) const fn scan(self) -> Cost {
        Cost(self.0.div_ceil(CHARACTERS))
    }

    /// The cost of looking at each element.
    pub(super) const fn walk(self) -> Cost {
        Cost(self.0)
    }
}

impl Add for Size {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul for Size {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0.saturating_mul(other.0))
    }
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<Size> for Cost {
    type Output = Self;
    fn mul(self, times: Size) -> Self {
        Self(self.0.saturating_mul(times.0))
    }
}
