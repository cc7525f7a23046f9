//! The types that a key can hold.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::{IndexMap, IndexSet};

use super::{Bytes, Zset};
use crate::resp::{Reply, SHARE_FROM, parse_integer};

/// A list: cheap at both ends.
pub type List = VecDeque<Bytes>;
/// A set. Members have an index, so that a random one is found at once.
pub type Set = IndexSet<Bytes, RandomState>;
/// A hash.
pub type Hash = IndexMap<Bytes, Bytes, RandomState>;

/// What a key holds. Collections stand apart: an entry stays small for the strings, and a long
/// reply keeps the collection that it sends as it was, while a change makes a copy; so does a
/// snapshot.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Str(Str),
    /// A list.
    List(Arc<List>),
    /// A set.
    Set(Arc<Set>),
    /// A hash.
    Hash(Arc<Hash>),
    /// A sorted set.
    Zset(Arc<Zset>),
}

impl Value {
    /// The name that TYPE gives.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Str(_) => "string",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::Hash(_) => "hash",
            Value::Zset(_) => "zset",
        }
    }
}

/// A string, in the form that serves it best.
#[derive(Clone, Debug)]
pub enum Str {
    /// A number that counts up and down without being printed and read again.
    Integer(i64),
    /// A small string.
    Small(Bytes),
    /// A large one, which replies refer to while it changes or goes.
    Large(Arc<Vec<u8>>),
}

impl Str {
    /// The string `bytes`.
    pub fn new(bytes: &[u8]) -> Str {
        if let Some(number) = parse_integer(bytes) {
            Str::Integer(number)
        } else if bytes.len() < SHARE_FROM {
            Str::Small(bytes.into())
        } else {
            Str::Large(Arc::new(bytes.to_vec()))
        }
    }

    /// Becomes `bytes`, in the memory that is there already where that does.
    pub fn assign(&mut self, bytes: &[u8]) {
        match self {
            Str::Small(old) if bytes.len() < SHARE_FROM && parse_integer(bytes).is_none() => {
                old.assign(bytes);
            }
            _ => *self = Str::new(bytes),
        }
    }

    /// How many bytes it has.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        match self {
            Str::Integer(number) => itoa::Buffer::new().format(*number).len(),
            Str::Small(bytes) => bytes.len(),
            Str::Large(bytes) => bytes.len(),
        }
    }

    /// The number that it spells.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Str::Integer(number) => Some(*number),
            Str::Small(bytes) => parse_integer(bytes),
            Str::Large(_) => None,
        }
    }

    /// Adds `tail` to its end; the new length.
    pub fn append(&mut self, tail: &[u8]) -> usize {
        let mut bytes = match std::mem::replace(self, Str::Integer(0)) {
            Str::Integer(number) => itoa::Buffer::new().format(number).as_bytes().to_vec(),
            Str::Small(bytes) => bytes.to_vec(),
            // A reply that still refers to the old value keeps it; then this is a copy.
            Str::Large(shared) => Arc::unwrap_or_clone(shared),
        };
        bytes.extend_from_slice(tail);
        let length = bytes.len();
        *self = if length < SHARE_FROM {
            Str::Small(bytes.into())
        } else {
            Str::Large(Arc::new(bytes))
        };
        length
    }

    /// Sends it.
    pub fn reply(&self, reply: &mut Reply) {
        match self {
            Str::Integer(number) => reply.bulk_integer(*number),
            Str::Small(bytes) => reply.bulk(bytes),
            Str::Large(bytes) => reply.shared(bytes),
        }
    }
}

/// A type that a [`Value`] can be looked at as.
pub trait Typed: Sized {
    /// The value as this type, if it is.
    fn of(value: &Value) -> Option<&Self>;
    /// The value as this type, if it is, to be changed.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// An empty one.
    fn empty() -> Value;
}

/// A type whose values can be kept by a reply.
pub trait Collection: Typed {
    /// The value as this type, if it is.
    fn shared(value: &Value) -> Option<&Arc<Self>>;
}

impl Typed for Str {
    fn of(value: &Value) -> Option<&Str> {
        if let Value::Str(string) = value { Some(string) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Str> {
        if let Value::Str(string) = value { Some(string) } else { None }
    }

    fn empty() -> Value {
        Value::Str(Str::Small(Bytes::from(&[][..])))
    }
}

macro_rules! collection {
    ($type:ident) => {
        impl Typed for $type {
            fn of(value: &Value) -> Option<&$type> {
                Self::shared(value).map(|shared| &**shared)
            }

            fn of_mut(value: &mut Value) -> Option<&mut $type> {
                if let Value::$type(shared) = value { Some(Arc::make_mut(shared)) } else { None }
            }

            fn empty() -> Value {
                Value::$type(Arc::default())
            }
        }

        impl Collection for $type {
            fn shared(value: &Value) -> Option<&Arc<$type>> {
                if let Value::$type(shared) = value { Some(shared) } else { None }
            }
        }
    };
}

collection!(List);
collection!(Set);
collection!(Hash);
collection!(Zset);
