//! Requests: an incremental parser that points into the bytes it was given and copies none.
//!
//! Bytes arrive in pieces of any size. The parser is shown everything that belongs to the command
//! at hand, from its first byte on, and remembers how far it came: a command that trickles in byte
//! by byte costs no more than one that comes whole. What a length *announces* reserves nothing;
//! only bytes that have come take memory.

use std::fmt;

use super::number::parse_integer;

/// The longest argument, in bytes (512 MiB).
pub const MAX_BULK: usize = 512 << 20;
/// The longest line of an inline command, and of any length header, in bytes (64 KiB).
pub const MAX_INLINE: usize = 64 << 10;
/// The most arguments of one command.
const MAX_ARGUMENTS: i64 = i32::MAX as i64;

/// Where one argument stands: byte offsets into what the parser was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// The words of one command, the name first.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// The words at `spans` of `bytes`.
    pub fn new(bytes: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { bytes, spans }
    }

    /// How many words there are, the name counted.
    #[expect(clippy::len_without_is_empty, reason = "a command has at least its name")]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The word at `index`.
    ///
    /// # Panics
    ///
    /// When there is no such word: the caller has looked at `len`, or the arity promises it.
    pub fn at(&self, index: usize) -> &'a [u8] {
        let span = self.spans[index];
        &self.bytes[span.start as usize..span.end as usize]
    }

    /// The words from `first` on.
    pub fn from(&self, first: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let Args { bytes, spans } = *self;
        spans[first.min(spans.len())..]
            .iter()
            .map(move |span| &bytes[span.start as usize..span.end as usize])
    }
}

/// What the parser made of the bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// More bytes are needed.
    Incomplete,
    /// A command ends here; its words are in [`Parser::args`].
    Command {
        /// How many bytes it took.
        consumed: usize,
    },
    /// An empty line or an empty array: nothing to do and nothing to answer.
    Nothing {
        /// How many bytes it took.
        consumed: usize,
    },
}

/// Why a request cannot be understood. The connection ends with this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// A line that should hold the number of arguments runs on and on.
    CountTooLong,
    /// The number of arguments is no number, or too large.
    InvalidCount,
    /// A line that should hold an argument's length runs on and on.
    LengthTooLong,
    /// An argument's length is no number, negative or too large.
    InvalidLength,
    /// An argument that does not start with a dollar sign, but with this byte.
    ExpectedDollar(u8),
    /// An inline command that runs on and on.
    InlineTooLong,
    /// An inline command whose quotes do not close.
    UnbalancedQuotes,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        match self {
            ParseError::CountTooLong => f.write_str("too big mbulk count string"),
            ParseError::InvalidCount => f.write_str("invalid multibulk length"),
            ParseError::LengthTooLong => f.write_str("too big bulk count string"),
            ParseError::InvalidLength => f.write_str("invalid bulk length"),
            ParseError::ExpectedDollar(byte) => {
                // As C prints a signed char; a line feed would end the reply early.
                let shown = if matches!(byte, b'\r' | b'\n') { ' ' } else { char::from(*byte) };
                write!(f, "expected '$', got '{shown}'")
            }
            ParseError::InlineTooLong => f.write_str("too big inline request"),
            ParseError::UnbalancedQuotes => f.write_str("unbalanced quotes in request"),
        }
    }
}

impl std::error::Error for ParseError {}

/// The state of one connection's request stream.
#[derive(Debug, Default)]
pub struct Parser {
    /// The words found so far; into the input, or into `unquoted` for an inline command.
    spans: Vec<Span>,
    /// The words of an inline command, its quotes and escapes resolved.
    unquoted: Vec<u8>,
    inline: bool,
    /// Arguments still to come.
    missing: usize,
    /// The length of the argument at hand, once its header is read.
    bulk: Option<usize>,
    /// How far the input is understood.
    position: usize,
    /// The last call ended a command, so the next one starts afresh.
    finished: bool,
}

impl Parser {
    /// Goes on with `input`, which starts with the first byte of the command at hand: the same
    /// bytes as in the last call and more behind them, or, after a command has ended, what follows
    /// its `consumed` bytes.
    ///
    /// # Errors
    ///
    /// [`ParseError`] when the bytes are not the protocol's; nothing that follows can be trusted.
    pub fn parse(&mut self, input: &[u8]) -> Result<Status, ParseError> {
        if self.finished {
            self.restart();
        }
        if self.position == 0 {
            match input.first() {
                None => return Ok(Status::Incomplete),
                Some(b'*') => {
                    let Some((count, next)) = number(input, 1) else {
                        return too_long(input, 1, ParseError::CountTooLong);
                    };
                    let count = count.ok_or(ParseError::InvalidCount)?;
                    if count > MAX_ARGUMENTS {
                        return Err(ParseError::InvalidCount);
                    }
                    if count <= 0 {
                        self.finished = true;
                        return Ok(Status::Nothing { consumed: next });
                    }
                    self.missing = count as usize;
                    self.position = next;
                }
                Some(_) => return self.parse_inline(input),
            }
        }
        self.parse_arguments(input)
    }

    /// The words of the command that [`parse`](Self::parse) found in `input`.
    pub fn args<'a>(&'a self, input: &'a [u8]) -> Args<'a> {
        Args::new(if self.inline { &self.unquoted } else { input }, &self.spans)
    }

    /// Whether a command has begun and not ended.
    pub fn is_midway(&self) -> bool {
        !self.finished && self.position > 0
    }

    /// Gives back the memory that a large command took.
    pub fn release(&mut self) {
        const KEEP: usize = 32;
        if self.spans.capacity() > KEEP && !self.is_midway() {
            self.restart();
            self.spans.shrink_to(KEEP);
        }
        if self.unquoted.capacity() > 0 && !self.is_midway() {
            self.unquoted = Vec::new();
        }
    }

    fn restart(&mut self) {
        self.spans.clear();
        self.unquoted.clear();
        self.inline = false;
        self.missing = 0;
        self.bulk = None;
        self.position = 0;
        self.finished = false;
    }

    fn parse_arguments(&mut self, input: &[u8]) -> Result<Status, ParseError> {
        while self.missing > 0 {
            let length = match self.bulk {
                Some(length) => length,
                None => {
                    match input.get(self.position) {
                        None => return Ok(Status::Incomplete),
                        Some(b'$') => {}
                        // Redis waits for the whole line before it complains.
                        Some(&other) => {
                            return match line(input, self.position) {
                                Some(_) => Err(ParseError::ExpectedDollar(other)),
                                None => too_long(input, self.position, ParseError::LengthTooLong),
                            };
                        }
                    }
                    let Some((length, next)) = number(input, self.position + 1) else {
                        return too_long(input, self.position, ParseError::LengthTooLong);
                    };
                    let length = length
                        .and_then(|length| usize::try_from(length).ok())
                        .filter(|&length| length <= MAX_BULK)
                        .ok_or(ParseError::InvalidLength)?;
                    self.bulk = Some(length);
                    self.position = next;
                    length
                }
            };
            // The two bytes behind an argument are skipped, whatever they are: so does Redis.
            let end = self.position + length;
            if input.len() < end + 2 {
                return Ok(Status::Incomplete);
            }
            self.spans.push(Span { start: self.position as u32, end: end as u32 });
            self.position = end + 2;
            self.bulk = None;
            self.missing -= 1;
        }
        self.finished = true;
        Ok(Status::Command { consumed: self.position })
    }

    fn parse_inline(&mut self, input: &[u8]) -> Result<Status, ParseError> {
        let searched = &input[..input.len().min(MAX_INLINE + 1)];
        let Some(end) = searched.iter().position(|&byte| byte == b'\n') else {
            return too_long(input, 0, ParseError::InlineTooLong);
        };
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        super::inline::split(line, &mut self.unquoted, &mut self.spans)
            .ok_or(ParseError::UnbalancedQuotes)?;
        self.inline = true;
        self.finished = true;
        let consumed = end + 1;
        Ok(if self.spans.is_empty() {
            Status::Nothing { consumed }
        } else {
            Status::Command { consumed }
        })
    }
}

/// The number in the line that begins at `from`, if it is one, and where the next line starts;
/// nothing if the line is not all there.
fn number(input: &[u8], from: usize) -> Option<(Option<i64>, usize)> {
    let digit = |byte: u8| i64::from(byte - b'0');
    // Nearly all lengths have one digit or two.
    match input.get(from..from + 4) {
        Some(&[one @ b'0'..=b'9', b'\r', _, _]) => Some((Some(digit(one)), from + 3)),
        Some(&[ten @ b'1'..=b'9', one @ b'0'..=b'9', b'\r', _]) => {
            Some((Some(digit(ten) * 10 + digit(one)), from + 4))
        }
        _ => line(input, from).map(|(line, next)| (parse_integer(line), next)),
    }
}

/// The bytes from `from` to the next carriage return, and where the line after it starts.
fn line(input: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let rest = input.get(from..)?;
    let length = rest.iter().take(MAX_INLINE).position(|&byte| byte == b'\r')?;
    (rest.len() >= length + 2).then(|| (&rest[..length], from + length + 2))
}

fn too_long(input: &[u8], from: usize, error: ParseError) -> Result<Status, ParseError> {
    if input.len() - from > MAX_INLINE { Err(error) } else { Ok(Status::Incomplete) }
}
