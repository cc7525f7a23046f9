//! The tree against a naive one, and what is left of nodes that were dropped.

use std::pin::pin;
use std::task::{Context, Waker};

use super::CancellationToken;
use super::node::Node;
use crate::loom::sync::Arc;

/// A token of the model: its parent's index, whether it is cancelled, and itself until dropped.
struct Model {
    parent: Option<usize>,
    cancelled: bool,
    token: Option<CancellationToken>,
}

fn is_below(all: &[Model], mut node: usize, above: usize) -> bool {
    loop {
        if node == above {
            return true;
        }
        match all[node].parent {
            Some(parent) => node = parent,
            None => return false,
        }
    }
}

/// Makes, drops and cancels tokens at random. In the model a dropped token stays where it was, so
/// that its children are still below its parent.
#[test]
fn agrees_with_a_naive_tree() {
    for seed in 1..=200_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = move |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % n as u64) as usize
        };
        let root = CancellationToken::new();
        let mut all = vec![Model { parent: None, cancelled: false, token: Some(root) }];
        for _ in 0..120 {
            let chosen = random(all.len());
            let Some(token) = &all[chosen].token else { continue };
            match random(16) {
                0 => {
                    token.cancel();
                    for n in 0..all.len() {
                        all[n].cancelled |= is_below(&all, n, chosen);
                    }
                }
                1..=5 => all[chosen].token = None,
                _ => {
                    let child = token.child_token();
                    let cancelled = all[chosen].cancelled;
                    all.push(Model { parent: Some(chosen), cancelled, token: Some(child) });
                }
            }
            for model in &all {
                if let Some(token) = &model.token {
                    assert_eq!(token.is_cancelled(), model.cancelled, "seed {seed}");
                }
            }
        }
    }
}

#[test]
fn a_chain_of_dropped_tokens_keeps_its_ends_together() {
    let root = CancellationToken::new();
    let mut last = root.child_token();
    for _ in 0..100_000 {
        last = last.child_token();
    }
    root.cancel();
    assert!(last.is_cancelled());
}

#[test]
fn a_deep_tree_is_cancelled_and_dropped_without_recursion() {
    let root = CancellationToken::new();
    let mut chain = vec![root.child_token()];
    for n in 0..100_000 {
        chain.push(chain[n].child_token());
    }
    root.cancel();
    assert!(chain.iter().all(CancellationToken::is_cancelled));
    let other = CancellationToken::new();
    let mut chain = vec![other.child_token()];
    for n in 0..100_000 {
        chain.push(chain[n].child_token());
    }
    drop(other);
    drop(chain);
}

#[test]
fn a_dropped_token_leaves_nothing_behind() {
    let root = CancellationToken::new();
    let node: Arc<Node> = Arc::clone(&root.node);
    let children: Vec<_> = (0..1_000).map(|_| root.child_token()).collect();
    assert!(Arc::strong_count(&node) > 1_000);
    drop(children);
    assert_eq!(Arc::strong_count(&node), 2);
    let child = root.child_token();
    let middle = Arc::clone(&child.node);
    let grandchild = child.child_token();
    drop(child);
    assert_eq!(Arc::strong_count(&middle), 1, "the child is out of the tree");
    root.cancel();
    assert!(grandchild.is_cancelled());
    drop((root, grandchild));
    assert_eq!(Arc::strong_count(&node), 1);
}

#[test]
fn a_cancelled_token_keeps_no_family() {
    let root = CancellationToken::new();
    let child = root.child_token();
    let (above, below) = (Arc::clone(&root.node), Arc::clone(&child.node));
    root.cancel();
    assert_eq!((Arc::strong_count(&above), Arc::strong_count(&below)), (2, 2));
}

#[test]
fn a_future_that_was_dropped_leaves_the_line() {
    let token = CancellationToken::new();
    let waker = Waker::from(std::sync::Arc::new(Quiet));
    {
        let cancelled = pin!(token.clone().cancelled_owned());
        assert!(cancelled.poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&token.node), 1);
    token.cancel();
    assert!(pin!(token.cancelled()).poll(&mut Context::from_waker(&waker)).is_ready());
}

/// A waker that must not be called.
struct Quiet;

impl std::task::Wake for Quiet {
    fn wake(self: std::sync::Arc<Self>) {
        panic!("a future that is gone was woken");
    }
}
