//! A topic with one publisher and many members, each of which must get every event once and in
//! order.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, time::timeout};

use super::{
    client::{Client, PATIENCE},
    tally::Tally,
    wire::{self, Events},
};

/// More than the events that may be in flight.
const RING: u64 = 64 * 1024;

/// The state that publisher and members share.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) tally: Tally,
    events: Events,
    members: u64,
    started: Instant,
    /// The time at which each event was published, in nanoseconds since the start.
    sent: Vec<AtomicU64>,
    /// How many members got each event.
    received: Vec<AtomicU64>,
    published: AtomicU64,
    delivered: AtomicU64,
    /// How many more events may be in flight.
    window: Semaphore,
}

impl Topic {
    pub(super) fn new(members: usize, size: usize, window: usize) -> Arc<Self> {
        let ring = || (0..RING).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self {
            tally: Tally::default(),
            events: Events::new(size),
            members: members as u64,
            started: Instant::now(),
            sent: ring(),
            received: ring(),
            published: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            window: Semaphore::new(window),
        })
    }

    /// Returns how many events have been published.
    pub(super) fn published(&self) -> u64 {
        self.published.load(Relaxed)
    }

    /// Joins, and waits for the answer.
    pub(super) async fn join(mut client: Client) -> io::Result<Client> {
        let answer = client.ask(wire::JOIN).await?;
        if wire::is_joined(&answer) {
            return Ok(client);
        }
        Err(io::Error::other(format!("cannot join: {}", String::from_utf8_lossy(&answer))))
    }

    /// Receives events until the connection ends.
    pub(super) async fn receive(self: Arc<Self>, mut client: Client) {
        let mut last = 0;
        loop {
            let step = match client.read().await {
                Ok(()) => self.take(&mut client, &mut last),
                Err(error) => Err(error),
            };
            if let Err(error) = step {
                self.tally.lock().bad(&format!("a member: {error}"));
                return;
            }
        }
    }

    fn take(&self, client: &mut Client, last: &mut u64) -> io::Result<()> {
        let now = self.started.elapsed();
        let mut counts = self.tally.lock();
        while let Some(text) = client.next_text()? {
            match self.events.check(text) {
                Ok(number) => {
                    if number != *last + 1 {
                        counts.bad(&format!("event {number} after event {last}"));
                    }
                    *last = number;
                    counts.good(now.saturating_sub(Duration::from_nanos(self.sent[place(number)].load(Relaxed))));
                    self.received(number);
                }
                Err(error) => counts.bad(&error),
            }
        }
        Ok(())
    }

    fn received(&self, number: u64) {
        self.delivered.fetch_add(1, Relaxed);
        let received = self.received[place(number)].fetch_add(1, Relaxed) + 1;
        if received == self.members {
            self.window.add_permits(1);
        }
    }

    /// Publishes each event on all clients until [`stop`](Self::stop), as many events at once as the window allows.
    /// Returns the clients, whose connections must stay open until the servers have handled them.
    pub(super) async fn publish_by_window(self: Arc<Self>, mut clients: Vec<Client>) -> io::Result<Vec<Client>> {
        loop {
            let permit = timeout(PATIENCE, self.window.acquire()).await;
            let permit = permit.map_err(|_| io::Error::other("an event did not reach all members"))?;
            // The window is closed by `stop`.
            let Ok(permit) = permit else { return Ok(clients) };
            permit.forget();
            self.publish(&mut clients);
            while let Ok(permit) = self.window.try_acquire() {
                permit.forget();
                self.publish(&mut clients);
            }
            for client in &mut clients {
                client.flush().await?;
                nothing_arrived(client).await?;
            }
        }
    }

    /// Ends [`publish_by_window`](Self::publish_by_window).
    pub(super) fn stop(&self) {
        self.window.close();
    }

    /// Publishes this many events a second, however many arrive.
    pub(super) async fn publish_by_rate(self: Arc<Self>, mut client: Client, rate: u32) -> io::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
        loop {
            ticks.tick().await;
            self.publish(std::slice::from_mut(&mut client));
            client.flush().await?;
            nothing_arrived(&mut client).await?;
        }
    }

    fn publish(&self, clients: &mut [Client]) {
        let number = self.published.fetch_add(1, Relaxed) + 1;
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.sent[place(number)].store(now, Relaxed);
        self.received[place(number)].store(0, Relaxed);
        let mut text = String::new();
        self.events.publish(&mut text, wire::TOPIC, number);
        for client in clients {
            client.push(&text);
        }
    }

    /// Waits until all published events have arrived. Returns the number of lost deliveries.
    pub(super) async fn lost(&self) -> u64 {
        let expected = self.published.load(Relaxed) * self.members;
        let missing = || expected.saturating_sub(self.delivered.load(Relaxed));
        let mut waited = Duration::ZERO;
        while missing() > 0 && waited < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            waited += Duration::from_millis(20);
        }
        missing()
    }
}

/// Reads what a publisher receives: pings, but no messages.
async fn nothing_arrived(client: &mut Client) -> io::Result<()> {
    // Reads once: messages that arrive later are read the next time.
    if timeout(Duration::ZERO, client.read()).await.is_err() {
        return Ok(());
    }
    match client.next_text()? {
        None => Ok(()),
        Some(text) => Err(io::Error::other(format!("the publisher got {}", String::from_utf8_lossy(text)))),
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number % RING).unwrap_or_default()
}
