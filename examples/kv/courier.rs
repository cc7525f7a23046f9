//! What the connections of a shard ask of another one in the same turn goes there together.

use std::cell::RefCell;
use std::rc::Rc;

use henge::mesh::Sharded;
use henge::shard::ShardId;
use henge::sync::local::oneshot;

use crate::batch::Batch;
use crate::load::Load;
use crate::shard::Shard;

/// The way from this shard to another one.
#[derive(Debug)]
pub(crate) struct Courier {
    to: ShardId,
    gathered: RefCell<Gathered>,
    /// What has been there and back: its buffers are used again.
    spare: RefCell<Vec<Gathered>>,
}

#[derive(Debug, Default)]
struct Gathered {
    load: Load,
    /// Whose the sections of the load are, in their order.
    waiting: Vec<Waiting>,
}

/// A batch, and who waits for its replies.
type Waiting = (Box<Batch>, oneshot::Sender<Box<Batch>>);

impl Courier {
    /// The way to shard `to`.
    pub(crate) fn new(to: usize) -> Courier {
        let (gathered, spare) = Default::default();
        Courier { to: ShardId::new(to), gathered, spare }
    }

    /// Has the commands of a batch run over there, but for those whose replies there is no room
    /// for. The batch comes back with the replies; nothing does if the other shard cannot.
    pub(crate) fn send(
        self: &Rc<Self>,
        shards: &Sharded<Shard>,
        batch: Box<Batch>,
    ) -> oneshot::Receiver<Box<Batch>> {
        let (sender, receiver) = oneshot::channel();
        let mut gathered = self.gathered.borrow_mut();
        if gathered.waiting.is_empty() {
            // It begins when all connections have run that can run now.
            henge::spawn(Rc::clone(self).carry(shards.clone()));
        }
        gathered.load.add(&batch);
        gathered.waiting.push((batch, sender));
        receiver
    }

    /// Carries what has been gathered to the other shard, and the replies back to those who wait.
    async fn carry(self: Rc<Self>, shards: Sharded<Shard>) {
        let next = self.spare.borrow_mut().pop().unwrap_or_default();
        let Gathered { mut load, mut waiting } = self.gathered.replace(next);
        let call = self.to.call_sync(move || {
            shards.local().work_off(&mut load);
            load
        });
        // If it fails, those who wait see that nothing comes.
        let Ok(mut load) = call.await else { return };
        for (section, (mut batch, sender)) in waiting.drain(..).enumerate() {
            load.hand_out(section, &mut batch);
            // A connection that has ended waits for nothing.
            _ = sender.send(batch);
        }
        load.clear();
        self.spare.borrow_mut().push(Gathered { load, waiting });
    }
}
