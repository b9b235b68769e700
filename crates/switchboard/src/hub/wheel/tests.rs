use crate::{
    Hub, Identity, WsRouter,
    conn::{ConnInner, ConnOrigin, RouteSettings},
    fanout::Slab,
    hub::wheel::*,
};

/// Returns the number of timers and of slots.
fn held(hub: &Hub) -> (usize, usize) {
    let state = hub.inner().wheel.state.lock();
    assert!(state.later.len() <= state.timers.len());
    let linked: usize = state.slots.iter().map(Vec::len).sum();
    assert_eq!(linked, state.timers.len());
    (state.timers.len(), state.slots.len())
}

/// Returns the number of allocated timers, used or not.
fn allocated(hub: &Hub) -> usize {
    hub.inner().wheel.state.lock().timers.end()
}

/// A connection of a hub.
fn connected(hub: &Hub, settings: &Arc<RouteSettings>) -> Arc<ConnInner<()>> {
    let conn = Arc::new(ConnInner::new(ConnOrigin {
        settings: Arc::clone(settings),
        state: Arc::new(()),
        kept: Default::default(),
        remote_addr: None,
        client_ip: None,
        dialect: Default::default(),
        permit: None,
        data: (),
    }));
    hub.connected(&conn);
    conn
}

fn settings(hub: &Hub) -> Arc<RouteSettings> {
    Arc::clone(WsRouter::<()>::new().hub(hub.clone()).mount().settings())
}

fn schedule(hub: &Hub, conn: &ConnInner<()>, after: Duration, check: Check) {
    hub.schedule(conn, after, check);
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn an_earlier_check_wakes_the_task() {
    let hub = Hub::new();
    let conn = connected(&hub, &settings(&hub));
    schedule(&hub, &conn, 60 * SECOND, Check::Reauthorize);
    tokio::task::yield_now().await;
    tokio::time::sleep(SECOND).await;
    schedule(&hub, &conn, SECOND / 20, Check::Identified);
    // One timer for both checks.
    assert_eq!(held(&hub).0, 1);
    tokio::time::sleep(SECOND / 10).await;
    assert!(conn.outbox.is_closed());
    assert_eq!(held(&hub).0, 1);
    tokio::time::sleep(60 * SECOND).await;
    // No timer is left, and no task.
    assert_eq!((held(&hub), allocated(&hub)), ((0, 0), 0));
    assert_eq!(hub.inner().wheel.state.lock().sleeps_until, None);
}

/// Tokens of 24 hours, and clients that reconnect.
#[tokio::test(start_paused = true)]
async fn attack_a11_timers_are_removed_with_their_connection() {
    let hub = Hub::new();
    let settings = settings(&hub);
    let day = Identity::new("ann").expires_in(24 * 3600 * SECOND);
    let stays = connected(&hub, &settings);
    stays.identify(&day).unwrap();
    let mut open = std::collections::VecDeque::new();
    for number in 0..100_000_u32 {
        let conn = connected(&hub, &settings);
        conn.identify(&day).unwrap();
        schedule(&hub, &conn, 25 * SECOND, Check::Ping);
        schedule(&hub, &conn, (number % 50) * SECOND, Check::Identified);
        open.push_back(conn);
        if open.len() == 1000 {
            hub.disconnected(&*open.pop_front().unwrap());
        }
        if number % 10_000 == 0 {
            // One for each open connection, and few unused ones.
            assert_eq!(held(&hub).0, open.len() + 1);
            assert!(allocated(&hub) <= 4 * (open.len() + 1) + 64, "{}", allocated(&hub));
            tokio::time::sleep(SECOND / 10).await;
        }
    }
    for conn in open.drain(..) {
        hub.disconnected(&*conn);
        // Nothing is scheduled after the end.
        schedule(&hub, &conn, SECOND, Check::Ping);
        conn.identify(&day).unwrap();
    }
    assert_eq!(held(&hub), (1, 2048));
    assert!(allocated(&hub) <= 68, "{}", allocated(&hub));
    hub.disconnected(&*stays);
    assert_eq!((held(&hub), allocated(&hub)), ((0, 0), 0));
    // The task does not wait for the day to pass.
    tokio::time::sleep(SECOND).await;
    assert_eq!(hub.inner().wheel.state.lock().sleeps_until, None);
}

/// Timers keep their time when compaction changes their keys.
#[tokio::test(start_paused = true)]
async fn remaining_timers_fire_on_time_after_compaction() {
    let hub = Hub::new();
    let settings = settings(&hub);
    let conns: Vec<_> = (0..2000_u32).map(|_| connected(&hub, &settings)).collect();
    for (number, conn) in (0..).zip(&conns) {
        schedule(&hub, conn, (1 + number % 100) * SECOND, Check::Identified);
        schedule(&hub, conn, 3600 * SECOND, Check::Reauthorize);
    }
    let stays = |number: u32| number % 20 == 7;
    for (number, conn) in (0..).zip(&conns) {
        if !stays(number) {
            hub.disconnected(&**conn);
        }
    }
    assert_eq!(held(&hub).0, 100);
    assert!(allocated(&hub) <= 4 * 100 + 64, "{}", allocated(&hub));
    for second in 0..=100_u32 {
        for (number, conn) in (0..).zip(&conns).filter(|(number, _)| stays(*number)) {
            assert_eq!(conn.outbox.is_closed(), number % 100 < second, "{number} after {second} s");
        }
        tokio::time::sleep(SECOND + 2 * TICK / if second == 0 { 1 } else { 1000 }).await;
    }
    for (_, conn) in (0..).zip(&conns).filter(|(number, _)| stays(*number)) {
        hub.disconnected(&**conn);
    }
    assert_eq!((held(&hub), allocated(&hub)), ((0, 0), 0));
}

#[tokio::test(start_paused = true)]
async fn an_identity_has_one_expiry_check() {
    let hub = Hub::new();
    let conn = connected(&hub, &settings(&hub));
    let identify = |seconds| conn.identify(&Identity::new("ann").expires_in(seconds * SECOND)).unwrap();
    for _ in 0..100 {
        identify(100);
        identify(10);
        identify(100);
        tokio::time::sleep(11 * SECOND).await;
        assert_eq!(held(&hub).0, 1);
    }
    assert!(!conn.outbox.is_closed());
    identify(10);
    tokio::time::sleep(11 * SECOND).await;
    assert!(conn.outbox.is_closed());
    hub.disconnected(&*conn);
}

#[tokio::test(start_paused = true)]
async fn an_ended_task_does_not_affect_the_next() {
    let hub = Hub::new();
    let inner = hub.inner();
    let ended = WheelTask { hub: Arc::downgrade(inner), task: 0 };
    schedule(&hub, &connected(&hub, &settings(&hub)), 60 * SECOND, Check::Ping);
    let sleeps_until = || inner.wheel.state.lock().sleeps_until;
    let until = sleeps_until();
    assert!(until.is_some());
    drop(ended);
    assert_eq!(sleeps_until(), until);
}

#[test]
fn due_checks_are_taken_once_and_later_rounds_stay() {
    let mut state = WheelState::default();
    state.slots.resize_with(SLOTS as usize, Vec::new);
    let timers: Vec<_> = [3, 5, 5, 3 + SLOTS, 3 + 3 * SLOTS]
        .map(|tick| {
            let (timer, conn) = (TimerKey::default(), ConnId::new());
            state.set(&timer, conn, (tick, Check::Ping));
            (timer, conn)
        })
        .into();
    assert_eq!(state.next_due(), Some(3));
    let mut take = |now, expected: &[usize]| {
        let due: Vec<ConnId> = state.take_due(now).into_iter().map(|(conn, _)| conn).collect();
        let mut expected: Vec<ConnId> = expected.iter().map(|index| timers[*index].1).collect();
        expected.sort_by_key(|conn| due.iter().position(|other| other == conn));
        assert_eq!(due, expected, "{now}");
    };
    take(4, &[0]);
    take(5, &[1, 2]);
    take(3 + SLOTS - 1, &[]);
    take(3 + SLOTS, &[3]);
    // A task that woke up very late.
    take(10 * SLOTS, &[4]);
    assert_eq!((state.next_due(), state.timers.len()), (None, 0));
}

/// Every connection has a timer, so its size matters.
#[test]
fn a_timer_is_small() {
    assert_eq!(size_of::<Timer>(), 32);
    assert!(std::mem::size_of_val(&Slab::<Timer>::default()) <= 40);
}
