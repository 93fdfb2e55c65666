//! Entropy of the operating system.

/// 32 fresh bytes.
///
/// # Errors
/// The operating system gives none.
pub fn fresh() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
