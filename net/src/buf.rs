//! Buffers that grow as they are written to.

use std::io;

use bytes::BufMut;

/// Lets `transfer` write to as many bytes as `buf` has room for without growing, `most` at most,
/// and appends what it says it has written.
///
/// The bytes take the way over memory that is initialised: it can be lent without unsafe code.
pub(crate) fn fill<B: BufMut>(
    buf: &mut B,
    most: usize,
    transfer: impl FnOnce(&mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let (n, ()) = fill_with(buf, most, |room| transfer(room).map(|n| (n, ())))?;
    Ok(n)
}

/// As [`fill`], where the transfer tells something more.
pub(crate) fn fill_with<B: BufMut, R>(
    buf: &mut B,
    most: usize,
    transfer: impl FnOnce(&mut [u8]) -> io::Result<(usize, R)>,
) -> io::Result<(usize, R)> {
    let room = buf.chunk_mut().len().min(most);
    let mut bytes = vec![0; room];
    let (n, told) = transfer(&mut bytes)?;
    buf.put_slice(&bytes[..n]);
    Ok((n, told))
}
