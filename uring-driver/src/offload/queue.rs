//! The jobs that wait for a thread: three classes, first in first out within each, and any of them
//! can be taken out of the middle. A pure data structure.

/// Which jobs go first when there are more than threads.
///
/// ```
/// use henge_driver::offload::{Class, Config, Pool};
/// use std::sync::mpsc;
///
/// let pool = Pool::new(Config { max_threads: 1, ..Config::default() });
/// let (go, gone) = mpsc::channel();
/// let (say, said) = mpsc::channel();
/// let (user, system) = (say.clone(), say);
/// let first = pool.spawn(Class::User, move || gone.recv());
/// let user = pool.spawn(Class::User, move || user.send("a user's"));
/// let system = pool.spawn(Class::System, move || system.send("the library's"));
/// go.send(()).expect("it listens");
/// assert_eq!(said.iter().collect::<Vec<_>>(), ["the library's", "a user's"]);
/// # drop((first, user, system));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What was promised to somebody who need not wait for it: bytes that a file has taken to write
    /// them. It goes first, and runs even if the pool is shut down before a thread has come to it.
    Promised,
    /// What the library itself asks for: names, and files where the ring has no operation. Short,
    /// and others may be waiting for it, so it goes first.
    System,
    /// Closures of users, which may take as long as they like.
    User,
}

/// How many classes there are.
const CLASSES: usize = 3;

/// Names a queued job; worthless once the job has left the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    index: u32,
    generation: u32,
}

/// No entry: the end of a list.
const NONE: u32 = u32::MAX;

struct Entry<J> {
    /// `None` while the entry is on the free list.
    job: Option<(Class, J)>,
    /// How often the entry has been given out, so that an old ticket does not match.
    generation: u32,
    before: u32,
    /// The next job, or the next free entry.
    after: u32,
}

#[derive(Clone, Copy)]
struct Line {
    first: u32,
    last: u32,
}

/// All lines are linked through one array, whose unused entries are linked too.
pub(super) struct Queue<J> {
    entries: Vec<Entry<J>>,
    free: u32,
    lines: [Line; CLASSES],
    len: usize,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Queue<J> {
        let empty = Line { first: NONE, last: NONE };
        Queue { entries: Vec::new(), free: NONE, lines: [empty; CLASSES], len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// # Panics
    ///
    /// If 2³² - 1 jobs are queued.
    pub(super) fn push(&mut self, class: Class, job: J) -> Ticket {
        let index = self.free;
        let index = if index == NONE {
            let index = u32::try_from(self.entries.len()).expect("fewer than 2^32 queued jobs");
            assert_ne!(index, NONE, "fewer than 2^32 - 1 queued jobs");
            self.entries.push(Entry { job: None, generation: 0, before: NONE, after: NONE });
            index
        } else {
            self.free = self.entries[index as usize].after;
            index
        };
        let line = &mut self.lines[class as usize];
        let last = std::mem::replace(&mut line.last, index);
        if last == NONE {
            line.first = index;
        } else {
            self.entries[last as usize].after = index;
        }
        let entry = &mut self.entries[index as usize];
        entry.job = Some((class, job));
        entry.before = last;
        entry.after = NONE;
        self.len += 1;
        Ticket { index, generation: entry.generation }
    }

    /// The job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<J> {
        self.pop_of(0)
    }

    /// As `pop`, of those that nobody was promised.
    pub(super) fn pop_unpromised(&mut self) -> Option<J> {
        self.pop_of(Class::System as usize)
    }

    /// The first of this line, or else of the next.
    fn pop_of(&mut self, line: usize) -> Option<J> {
        let line = self.lines[line..].iter().find(|line| line.first != NONE)?;
        self.unlink(line.first)
    }

    /// Takes one job out, wherever it stands; `None` if it has left already.
    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<J> {
        let entry = self.entries.get(ticket.index as usize)?;
        if entry.generation == ticket.generation { self.unlink(ticket.index) } else { None }
    }

    fn unlink(&mut self, index: u32) -> Option<J> {
        let entry = self.entries.get_mut(index as usize)?;
        let (class, job) = entry.job.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        let before = std::mem::replace(&mut entry.before, NONE);
        let after = std::mem::replace(&mut entry.after, self.free);
        self.free = index;
        let line = &mut self.lines[class as usize];
        match self.entries.get_mut(before as usize) {
            Some(entry) => entry.after = after,
            None => line.first = after,
        }
        match self.entries.get_mut(after as usize) {
            Some(entry) => entry.before = before,
            None => line.last = before,
        }
        self.len -= 1;
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_go_before_the_library_and_that_before_users_and_each_in_its_order() {
        let mut queue = Queue::new();
        let classes = [Class::User, Class::System, Class::Promised];
        for (class, job) in classes.into_iter().cycle().zip(1..=6) {
            queue.push(class, job);
        }
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [3, 6, 2, 5, 1, 4]);
    }

    #[test]
    fn promises_stay_where_the_rest_is_taken_out() {
        let mut queue = Queue::new();
        for (class, job) in [(Class::Promised, 1), (Class::User, 2), (Class::System, 3)] {
            queue.push(class, job);
        }
        let rest: Vec<i32> = std::iter::from_fn(|| queue.pop_unpromised()).collect();
        assert_eq!(rest, [3, 2]);
        assert_eq!(queue.pop(), Some(1));
    }

    #[test]
    fn an_old_ticket_matches_nothing() {
        let mut queue = Queue::new();
        let old = queue.push(Class::User, 1);
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.remove(old), None);
        let new = queue.push(Class::User, 2);
        assert_eq!(queue.remove(old), None);
        assert_eq!(queue.remove(new), Some(2));
        assert_eq!(queue.remove(new), None);
        assert_eq!(queue.len(), 0);
    }

    /// Random operations beside two plain vectors.
    #[test]
    fn behaves_as_the_naive_model() {
        for seed in 1..200u64 {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut next = move |below: usize| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random >> 11) as usize % below
            };
            let mut queue = Queue::new();
            let mut model: [Vec<u32>; CLASSES] = Default::default();
            let mut tickets = Vec::new();
            for job in 0..300 {
                match next(4) {
                    0 | 1 => {
                        let classes = [Class::Promised, Class::System, Class::User];
                        let class = classes[next(CLASSES)];
                        tickets.push((queue.push(class, job), job));
                        model[class as usize].push(job);
                    }
                    2 => {
                        let line = model.iter_mut().find(|line| !line.is_empty());
                        let expected = line.map(|line| line.remove(0));
                        assert_eq!(queue.pop(), expected, "seed {seed}");
                    }
                    _ if tickets.is_empty() => {}
                    _ => {
                        let (ticket, job) = tickets[next(tickets.len())];
                        let mut expected = None;
                        for line in &mut model {
                            if let Some(at) = line.iter().position(|&waiting| waiting == job) {
                                expected = Some(line.remove(at));
                            }
                        }
                        assert_eq!(queue.remove(ticket), expected, "seed {seed}");
                    }
                }
                let left: usize = model.iter().map(Vec::len).sum();
                assert_eq!(queue.len(), left, "seed {seed}");
            }
        }
    }
}
