//! The engine as a whole. One test program: each one more would link the whole model library once more.

mod gpu;
mod model;
mod program;
mod support;
mod temporary;
