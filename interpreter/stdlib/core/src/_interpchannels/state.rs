//! The channels of the process: values on their way, and which interpreters use which end.
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

use krait_platform::thread::Semaphore;
use krait_runtime::interpreters::crossing::Crossing;

use crate::_interpqueues::unbound;

/// Which end of a channel is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Send,
    Both,
    Receive,
}
impl End {
    pub(super) fn of(send: bool, receive: bool) -> End {
        match (send, receive) {
            (true, false) => End::Send,
            (false, true) => End::Receive,
            _ => End::Both,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    NotFound,
    Closed,
    /// Closed while the sender waited.
    ClosedWaiting,
    /// The interpreter has released its end.
    Released,
    Empty,
    NotEmpty,
}

/// A sender that waits until its value is received.
pub(super) struct Waiting {
    pub(super) done: Semaphore,
    received: AtomicBool,
}
impl Waiting {
    pub(super) fn new() -> Arc<Waiting> {
        Arc::new(Waiting { done: Semaphore::new(0), received: AtomicBool::new(false) })
    }
    pub(super) fn is_received(&self) -> bool {
        self.received.load(SeqCst)
    }
    pub(super) fn finish(&self, received: bool) {
        self.received.store(received, SeqCst);
        self.done.post();
    }
}

pub(super) struct Item {
    owner: i64,
    /// Gone with its interpreter.
    pub(super) data: Option<Crossing>,
    pub(super) waiting: Option<Arc<Waiting>>,
    pub(super) unbound: i32,
}
impl Item {
    /// Nobody receives it.
    fn give_up(&self) {
        if let Some(w) = &self.waiting {
            w.finish(false);
        }
    }
}

/// An interpreter's use of an end.
struct Use {
    interp: i64,
    open: bool,
}
#[derive(Default)]
struct Uses(Vec<Use>);
impl Uses {
    fn of(&self, interp: i64) -> Option<&Use> {
        self.0.iter().find(|u| u.interp == interp)
    }
    /// False: the interpreter has released the end.
    fn join(&mut self, interp: i64) -> bool {
        match self.of(interp) {
            Some(u) => u.open,
            None => {
                self.0.push(Use { interp, open: true });
                true
            }
        }
    }
    fn release(&mut self, interp: i64) {
        match self.0.iter_mut().find(|u| u.interp == interp) {
            Some(u) => u.open = false,
            None => self.0.push(Use { interp, open: false }),
        }
    }
    fn any_open(&self) -> bool {
        self.0.iter().any(|u| u.open)
    }
}

pub(super) struct Channel {
    items: VecDeque<Item>,
    senders: Uses,
    receivers: Uses,
    pub(super) unbound: i32,
    open: bool,
    /// Nothing more is sent; it closes once it is empty.
    closing: bool,
}
impl Channel {
    fn is_used(&self) -> bool {
        self.senders.any_open()
            || self.receivers.any_open()
            || (self.senders.0.is_empty() && self.receivers.0.is_empty())
    }
    fn give_up(&self) {
        self.items.iter().for_each(Item::give_up);
    }
}
struct Entry {
    id: i64,
    /// `None` once it is closed.
    channel: Option<Channel>,
    /// `ChannelID` objects of it.
    objects: i64,
}

/// What `get_info` tells.
#[derive(Default)]
pub(super) struct Info {
    /// 1 = closed, -1 = closing
    pub(super) closed: i32,
    pub(super) count: usize,
    /// Interpreters that use the sending end only, open and released; the receiving end only; both, none released, both
    /// released, the sending end released, the receiving end released.
    pub(super) users: [i64; 8],
    /// The interpreter that asks: 1 = it uses the end, -1 = it has released it.
    pub(super) sends: i32,
    pub(super) receives: i32,
}

#[derive(Default)]
pub(super) struct Channels {
    all: Vec<Entry>,
    next: i64,
}
static CHANNELS: Mutex<Channels> = Mutex::new(Channels { all: Vec::new(), next: 0 });
/// No Python code runs, and no channel's values are dropped, while this is held.
pub(super) fn channels() -> MutexGuard<'static, Channels> {
    CHANNELS.lock().unwrap_or_else(|e| e.into_inner())
}

impl Channels {
    fn entry(&mut self, id: i64) -> Result<&mut Entry, Fault> {
        self.all.iter_mut().find(|e| e.id == id).ok_or(Fault::NotFound)
    }
    pub(super) fn open(&mut self, id: i64) -> Result<&mut Channel, Fault> {
        self.entry(id)?.channel.as_mut().filter(|c| c.open).ok_or(Fault::Closed)
    }
    pub(super) fn create(&mut self, unbound: i32) -> i64 {
        let id = self.next;
        self.next += 1;
        let channel = Channel {
            items: VecDeque::new(),
            senders: Uses::default(),
            receivers: Uses::default(),
            unbound,
            open: true,
            closing: false,
        };
        self.all.push(Entry { id, channel: Some(channel), objects: 0 });
        id
    }
    /// What is returned is dropped without the lock.
    pub(super) fn destroy(&mut self, id: i64) -> Result<Option<Channel>, Fault> {
        let at = self.all.iter().position(|e| e.id == id).ok_or(Fault::NotFound)?;
        let channel = self.all.remove(at).channel;
        if let Some(c) = &channel {
            c.give_up();
        }
        Ok(channel)
    }
    /// The newest first, each with what it does with unbound items.
    pub(super) fn list(&self) -> Vec<(i64, i32)> {
        let shown = |e: &Entry| (e.id, e.channel.as_ref().map_or(unbound::REPLACE, |c| c.unbound));
        self.all.iter().rev().map(shown).collect()
    }
    /// Whether something can be sent.
    pub(super) fn check_send(&mut self, id: i64) -> Result<(), Fault> {
        if self.open(id)?.closing { Err(Fault::Closed) } else { Ok(()) }
    }
    /// Sends; what could not be sent comes back, to be dropped without the lock.
    pub(super) fn send(
        &mut self,
        id: i64,
        owner: i64,
        data: Crossing,
        waiting: Option<Arc<Waiting>>,
        unbound: i32,
    ) -> Result<(), (Fault, Crossing)> {
        let channel = match self.check_send(id).and_then(|()| self.open(id)) {
            Ok(channel) => channel,
            Err(fault) => return Err((fault, data)),
        };
        if !channel.senders.join(owner) {
            return Err((Fault::Released, data));
        }
        channel.items.push_back(Item { owner, data: Some(data), waiting, unbound });
        Ok(())
    }
    /// Takes back what has not been received yet.
    pub(super) fn unsend(&mut self, id: i64, waiting: &Arc<Waiting>) -> Option<Item> {
        let entry = self.entry(id).ok()?;
        let channel = entry.channel.as_mut()?;
        let at = channel.items.iter().position(|i| i.waiting.as_ref().is_some_and(|w| Arc::ptr_eq(w, waiting)))?;
        let item = channel.items.remove(at);
        if channel.closing && channel.items.is_empty() {
            entry.channel = None;
        }
        item
    }
    pub(super) fn receive(&mut self, id: i64, interp: i64) -> Result<Item, Fault> {
        let channel = self.open(id)?;
        if !channel.receivers.join(interp) {
            return Err(Fault::Released);
        }
        let Some(item) = channel.items.pop_front() else { return Err(Fault::Empty) };
        if channel.closing && channel.items.is_empty() {
            self.entry(id)?.channel = None;
        }
        Ok(item)
    }
    /// The interpreter uses the end no more; the channel closes when no interpreter uses it.
    pub(super) fn release(&mut self, id: i64, interp: i64, end: End) -> Result<(), Fault> {
        let channel = self.open(id)?;
        if end != End::Receive {
            channel.senders.release(interp);
        }
        if end != End::Send {
            channel.receivers.release(interp);
        }
        channel.open = channel.is_used();
        Ok(())
    }
    /// Closes for all; what is returned is dropped without the lock.
    pub(super) fn close(&mut self, id: i64, end: End, force: bool) -> Result<Option<Channel>, Fault> {
        let entry = self.entry(id)?;
        let channel = entry.channel.as_mut().ok_or(Fault::Closed)?;
        if (!force && end == End::Send && channel.closing) || !channel.open {
            return Err(Fault::Closed);
        }
        if !force && !channel.items.is_empty() {
            if end != End::Send {
                return Err(Fault::NotEmpty);
            }
            channel.closing = true;
            return Ok(None);
        }
        channel.give_up();
        Ok(entry.channel.take())
    }
    pub(super) fn count(&mut self, id: i64) -> Result<usize, Fault> {
        self.open(id).map(|c| c.items.len())
    }
    /// Whether the interpreter uses the end.
    pub(super) fn uses(&mut self, id: i64, interp: i64, send: bool) -> Result<bool, Fault> {
        let channel = self.open(id)?;
        if send && channel.closing {
            return Err(Fault::Closed);
        }
        let uses = if send { &channel.senders } else { &channel.receivers };
        Ok(uses.of(interp).is_some_and(|u| u.open))
    }
    pub(super) fn info(&mut self, id: i64, interp: i64) -> Result<Info, Fault> {
        let mut info = Info { closed: 1, ..Info::default() };
        let Some(channel) = self.entry(id)?.channel.as_ref().filter(|c| c.open) else { return Ok(info) };
        info.closed = if channel.closing { -1 } else { 0 };
        info.count = channel.items.len();
        let state = |u: Option<&Use>| u.map_or(0, |u| if u.open { 1 } else { -1 });
        info.sends = state(channel.senders.of(interp));
        info.receives = state(channel.receivers.of(interp));
        for sender in channel.senders.0.iter().filter(|s| channel.receivers.of(s.interp).is_none()) {
            info.users[usize::from(!sender.open)] += 1;
        }
        for receiver in &channel.receivers.0 {
            let at = match (channel.senders.of(receiver.interp), receiver.open) {
                (None, open) => 2 + usize::from(!open),
                (Some(s), true) => {
                    if s.open {
                        4
                    } else {
                        7
                    }
                }
                (Some(s), false) => {
                    if s.open {
                        6
                    } else {
                        5
                    }
                }
            };
            info.users[at] += 1;
        }
        Ok(info)
    }
    /// One `ChannelID` object more.
    pub(super) fn add_object(&mut self, id: i64) -> Result<(), Fault> {
        self.entry(id).map(|e| e.objects += 1)
    }
    /// One less; the channel goes with the last. What is returned is dropped without the lock.
    #[must_use]
    pub(super) fn remove_object(&mut self, id: i64) -> Option<Channel> {
        let entry = self.entry(id).ok()?;
        entry.objects -= 1;
        if entry.objects != 0 {
            return None;
        }
        self.destroy(id).ok().flatten()
    }
    /// The interpreter has ended. What is returned is dropped without the lock.
    #[must_use]
    fn forget_interpreter(&mut self, id: i64) -> Vec<Option<Crossing>> {
        let mut dropped = Vec::new();
        for channel in self.all.iter_mut().filter_map(|e| e.channel.as_mut()) {
            for item in channel.items.iter_mut().filter(|i| i.owner == id) {
                dropped.push(item.data.take());
            }
            channel.items.retain(|i| i.owner != id || i.unbound != unbound::REMOVE);
            for uses in [&mut channel.senders, &mut channel.receivers] {
                uses.0.iter_mut().filter(|u| u.interp == id).for_each(|u| u.open = false);
            }
            channel.open = channel.is_used();
        }
        dropped
    }
}
pub(super) fn forget_interpreter(id: i64) {
    let dropped = channels().forget_interpreter(id);
    drop(dropped);
}
