//! Auditors: they know bytes, nothing else.

mod auditor;
mod evidence;
mod firsts;
mod followed;
mod memo;
mod whole;
mod words;

pub(crate) use self::{
    auditor::{Auditor, Exposure},
    memo::Memo,
    whole::audit,
    words::{Standing, foreign, held, word},
};
