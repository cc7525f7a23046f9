//! The keys of a map of tasks.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use hashbrown::hash_table;

use super::Member;

/// The keys of a [`JoinMap`](crate::task::JoinMap), in no order; see
/// [`keys`](crate::task::JoinMap::keys).
///
/// # Examples
/// ```
/// use henge::task::{JoinMap, JoinMapKeys};
///
/// # #[henge::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut map = JoinMap::new();
/// for host in ["a", "b", "c"] {
///     map.spawn(host, std::future::pending::<()>());
/// }
/// let keys: JoinMapKeys<'_, &str, ()> = map.keys();
/// assert_eq!(keys.len(), 3);
/// assert!(keys.clone().any(|host| *host == "b"));
/// # }
/// ```
pub struct JoinMapKeys<'a, K, V> {
    pub(super) members: hash_table::Iter<'a, Member<K>>,
    /// Of a map of `V`s, whose keys may depend on them in a later version.
    pub(super) values: PhantomData<&'a V>,
}

impl<'a, K, V> Iterator for JoinMapKeys<'a, K, V> {
    type Item = &'a K;

    fn next(&mut self) -> Option<&'a K> {
        self.members.next().map(|member| &member.key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.members.size_hint()
    }
}

impl<K, V> ExactSizeIterator for JoinMapKeys<'_, K, V> {}

impl<K, V> FusedIterator for JoinMapKeys<'_, K, V> {}

impl<K, V> Clone for JoinMapKeys<'_, K, V> {
    fn clone(&self) -> Self {
        Self { members: self.members.clone(), values: PhantomData }
    }
}

impl<K: fmt::Debug, V> fmt::Debug for JoinMapKeys<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
