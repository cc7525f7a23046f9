//! Cells that are filled once: made by a function, or set.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use super::sync::{OnceCell, SetOnce};
use crate::harness::{Log, Rng, Waiting};

pub(crate) fn once_cell(rng: &mut Rng, log: &mut Log) {
    let cell = Arc::new(OnceCell::new());
    // Who makes the value is ready with it, or has failed, when these say so.
    let (made, failed) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let mut waiting = Waiting::places(4);
    for step in 0..40 {
        let i = rng.below(waiting.len());
        match rng.below(12) {
            0..=2 if waiting[i].is_idle() => {
                let (cell, made, failed) = (cell.clone(), made.clone(), failed.clone());
                waiting[i].start(async move {
                    let make = || {
                        poll_fn(|_cx| {
                            if failed.replace(false) {
                                Poll::Ready(Err("failed"))
                            } else if made.replace(false) {
                                Poll::Ready(Ok(step))
                            } else {
                                Poll::Pending
                            }
                        })
                    };
                    cell.get_or_try_init(make).await.copied()
                });
            }
            3..=6 => {
                if let Some(got) = waiting[i].poll(rng, log) {
                    log.note("got", got);
                }
            }
            7 => waiting[i].cancel(log),
            8 => made.set(rng.one_in(2)),
            9 => failed.set(rng.one_in(2)),
            10 => log.note("cell", &cell),
            _ if rng.one_in(3) => log.note("set", cell.set(step)),
            _ => {}
        }
        log.wakes(&mut waiting);
    }
}

pub(crate) fn set_once(rng: &mut Rng, log: &mut Log) {
    let once = Arc::new(SetOnce::new());
    let mut waiting = Waiting::places(4);
    for step in 0..40 {
        let i = rng.below(waiting.len());
        match rng.below(10) {
            0..=2 if waiting[i].is_idle() => {
                let once = once.clone();
                waiting[i].start(async move { *once.wait().await });
            }
            3..=6 => {
                if let Some(value) = waiting[i].poll(rng, log) {
                    log.note("value", value);
                }
            }
            7 => waiting[i].cancel(log),
            8 => log.note("once", &once),
            _ if rng.one_in(3) => log.note("set", once.set(step)),
            _ => {}
        }
        log.wakes(&mut waiting);
    }
}
