//! Bytes that are spread over several pieces of somebody's memory.

use std::io::IoSliceMut;

/// The rest of the room in a list of pieces.
pub(crate) struct Scatter<'a, 'b> {
    pieces: &'a mut [IoSliceMut<'b>],
    /// Where the next byte goes: which piece, and where in it.
    at: (usize, usize),
}

impl<'a, 'b> Scatter<'a, 'b> {
    pub(crate) fn new(pieces: &'a mut [IoSliceMut<'b>]) -> Scatter<'a, 'b> {
        Scatter { pieces, at: (0, 0) }
    }

    /// Copies as much of `bytes` as there is room for.
    pub(crate) fn put(&mut self, mut bytes: &[u8]) {
        let (piece, at) = &mut self.at;
        while !bytes.is_empty()
            && let Some(room) = self.pieces.get_mut(*piece)
        {
            let n = bytes.len().min(room.len() - *at);
            room[*at..*at + n].copy_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            *at += n;
            if *at == room.len() {
                (*piece, *at) = (*piece + 1, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scatter;
    use std::io::IoSliceMut;

    #[test]
    fn bytes_go_to_the_pieces_in_order() {
        let (mut a, mut b, mut c) = ([0; 3], [0; 0], [0; 4]);
        let pieces = &mut [&mut a[..], &mut b[..], &mut c[..]].map(IoSliceMut::new);
        let mut scatter = Scatter::new(pieces);
        scatter.put(&[1, 2]);
        scatter.put(&[3, 4, 5]);
        scatter.put(&[6, 7, 8, 9]);
        assert_eq!((a, c), ([1, 2, 3], [4, 5, 6, 7]));
    }
}
