//! Application code runs with nothing locked: here it takes every lock of the hub and a connection.

use std::{
    future::Future as _,
    sync::{Arc, OnceLock, mpsc},
    task::{Context, Wake, Waker},
    thread,
    time::Duration,
};

use futures_util::FutureExt as _;

use crate::{
    BatchOptions, Config, Conn, Identity, WsError,
    conn::{AnyConn, ConnRef},
    hub::{Hub, TopicOptions, testing::conn},
    ws_message,
};

#[ws_message("N", crate = crate)]
struct Number {
    n: u32,
}

/// Takes every lock once it is set.
#[derive(Clone, Default)]
struct LockProbe(Arc<OnceLock<(Conn, Arc<AnyConn>)>>);

impl LockProbe {
    fn probe(&self) {
        let Some((conn, inner)) = self.0.get() else { return };
        let hub = inner.hub();
        _ = (conn.topics(), conn.user(), conn.buffered(), conn.attributes().get::<u8>());
        _ = (hub.stats(), hub.local_connections().count(), hub.local_users());
        for topic in hub.0.topics.read().values() {
            topic.len();
        }
    }
}

/// Takes every lock when dropped.
struct OnDrop(LockProbe);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.probe();
    }
}

impl Wake for LockProbe {
    fn wake(self: Arc<Self>) {
        self.probe();
    }
}

type Step = (&'static str, Box<dyn FnOnce(&Hub, &Conn, &Arc<AnyConn>, &LockProbe) + Send>);

fn step(name: &'static str, step: impl FnOnce(&Hub, &Conn, &Arc<AnyConn>, &LockProbe) + Send + 'static) -> Step {
    (name, Box::new(step))
}

/// Polls a future that is ready at once.
fn now<T>(future: impl IntoFuture<Output = T>) -> T {
    future.into_future().now_or_never().unwrap()
}

fn steps() -> Vec<Step> {
    let filter = |probe: &LockProbe| {
        let guard = OnDrop(probe.clone());
        move |_: &ConnRef, _: &Number| {
            guard.0.probe();
            true
        }
    };
    vec![
        step("subscribing", |_, conn, _, _| assert!(now(conn.subscribe("A")).unwrap())),
        step("Conn::is_subscribed", |_, conn, _, _| assert!(conn.is_subscribed("a"))),
        step("ConnRef::is_subscribed", |_, _, inner, _| assert!(ConnRef::new(Arc::clone(inner)).is_subscribed("A"))),
        step("local_subscriber_count, local_members", |hub, _, _, _| {
            assert_eq!((hub.topic("A").local_subscriber_count(), hub.topic("A").local_members().count()), (1, 1))
        }),
        step("publishing", |_, conn, _, _| _ = now(conn.publish("A", Number { n: 1 })).unwrap()),
        step("publishing with rules", |hub, _, _, _| _ = now(hub.publish("Ruled", Number { n: 1 })).unwrap()),
        step("a filter", move |_, conn, _, probe| {
            now(conn.subscribe("F").filter(filter(probe))).unwrap();
            now(conn.publish("F", Number { n: 1 })).unwrap();
            // The second filter is dropped, since the connection is subscribed already.
            now(conn.subscribe("F").filter(filter(probe))).unwrap();
            assert!(now(conn.unsubscribe("F")).unwrap());
        }),
        step("a filter that is refused", move |_, conn, _, probe| {
            now(conn.subscribe("none:of").filter(filter(probe))).unwrap_err();
            now(conn.subscribe("not valid").filter(filter(probe))).unwrap_err();
        }),
        step("an authorization rule", |_, conn, _, _| assert!(now(conn.subscribe("asked")).unwrap())),
        step("set_topics", |_, conn, _, _| {
            now(conn.set_topics(["B", "C", "asked"])).unwrap();
            now(conn.unsubscribe_many(["B"])).unwrap();
            now(conn.clear_topics()).unwrap();
        }),
        step("revoking", |hub, conn, inner, _| {
            now(conn.subscribe("asked")).unwrap();
            assert_eq!(now(hub.topic("asked").reauthorize()), 0);
            now(hub.topic("asked").remove(inner.id));
        }),
        step("attributes", |_, conn, _, probe| {
            let attributes = conn.attributes();
            attributes.insert(OnDrop(probe.clone())).unwrap();
            drop(attributes.insert(OnDrop(probe.clone())).unwrap());
            drop(attributes.remove::<OnDrop>());
            attributes.insert(1_u8).unwrap();
            assert!(attributes.insert(OnDrop(probe.clone())).is_err());
        }),
        step("a batch", |hub, _, _, probe| {
            let options = BatchOptions::new().max_waiting(1);
            let batch =
                hub.topic("A").batch(options, |items: Vec<OnDrop>| Number { n: u32::try_from(items.len()).unwrap() });
            batch.push(OnDrop(probe.clone())).unwrap();
            batch.push(OnDrop(probe.clone())).unwrap_err();
            drop(batch);
        }),
        step("user events", |hub, conn, inner, probe| {
            let mut events = hub.user_events();
            let waker = Waker::from(Arc::new(probe.clone()));
            let mut cx = Context::from_waker(&waker);
            let mut next = Box::pin(events.next());
            assert!(next.as_mut().poll(&mut cx).is_pending());
            conn.identify(Identity::new("ann")).unwrap();
            assert!(next.as_mut().poll(&mut cx).is_ready());
            drop(next);
            let mut next = Box::pin(events.next());
            assert!(next.as_mut().poll(&mut cx).is_pending());
            hub.disconnected(&**inner);
            assert!(next.as_mut().poll(&mut cx).is_ready());
        }),
        step("a filter at the end", move |hub, _, _, probe| {
            let (conn, inner) = conn(hub, Config::new());
            now(conn.subscribe("F").filter(filter(probe))).unwrap();
            hub.disconnected(&*inner);
        }),
    ]
}

#[test]
fn attack_b16_application_code_runs_with_nothing_locked() {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let probe = LockProbe::default();
        let (in_names, in_rules, in_keys, asked) = (probe.clone(), probe.clone(), probe.clone(), probe.clone());
        let rules = TopicOptions::new()
            .allow_names(move |_| {
                in_rules.probe();
                true
            })
            .conflate_by(move |number: &Number| {
                in_keys.probe();
                number.n
            });
        let ask = TopicOptions::new().authorize_subscribe(async move |_, _: Arc<str>| {
            asked.probe();
            Ok::<_, WsError>(())
        });
        let hub = Hub::builder()
            .normalize_topics(move |name| {
                in_names.probe();
                name.to_lowercase()
            })
            .topic("ruled", rules)
            .topic("asked", ask)
            .topic("none:*", TopicOptions::new().max_members(0))
            .build();
        let (conn, inner) = conn(&hub, Config::new().max_attributes(1));
        hub.0.registry.lock().insert(Arc::clone(&inner));
        probe.0.set((conn.clone(), Arc::clone(&inner))).ok().unwrap();
        for (name, step) in steps() {
            tell.send(name).unwrap();
            step(&hub, &conn, &inner, &probe);
        }
        tell.send("done").unwrap();
    });
    let mut last = "nothing";
    while last != "done" {
        // A timeout means a deadlock, an error a panic.
        match told.recv_timeout(Duration::from_secs(10)) {
            Ok(name) => last = name,
            Err(error) => panic!("{last}: {error}"),
        }
    }
}
