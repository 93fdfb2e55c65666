//! Standard tools read our logs: the files that `symphony log tiles` writes, and what a node serves over HTTP, as Go's
//! `golang.org/x/mod/sumdb` and any web client see them.

mod files;
mod go;
mod http;
mod running;
mod sample;
