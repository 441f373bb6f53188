//! What a file may cost: hostile or mistaken input is refused with a line, in bounded time and memory.

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 8 << 20;
/// Most documents in a file.
pub const MAX_DOCUMENTS: usize = 1_000;
/// Most values in a file, those that aliases repeat included.
pub const MAX_NODES: usize = 400_000;
/// Deepest nesting, those of aliases included. No definition of ours goes deeper than a dozen.
pub const MAX_DEPTH: usize = 64;
/// Most aliases in a file.
pub const MAX_ALIASES: usize = 1_000;
/// Most faults that are told of one document.
pub const MAX_FAULTS: usize = 100;
