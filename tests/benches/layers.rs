//! What each provided layer adds to a request.

#[path = "shared/layers.rs"]
mod layers;
#[path = "shared/pair.rs"]
mod pair;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use switchboard::{
    RateLimitLayer, TraceLayer, WsRequest,
    middleware::{Next, from_fn, guard},
};
use tower::timeout::TimeoutLayer;

use self::layers::{measure, router};

/// More than any run sends.
const MAX: u32 = 16_000_000;

/// In this time.
const SECOND: Duration = Duration::from_secs(1);

fn provided(c: &mut Criterion) {
    // As many as come in a second, at most: a sliding window keeps the time of each.
    let sliding = RateLimitLayer::per_connection(1 << 14, Duration::from_millis(1));
    let routers = [
        ("none", router()),
        ("from_fn", router().layer(from_fn(async |request: WsRequest<()>, next: Next<()>| next.run(request).await))),
        ("guard", router().layer(guard(|request: &WsRequest<()>| request.is_rpc()))),
        ("rate limit, sliding", router().layer(sliding)),
        ("rate limit, fixed", router().layer(RateLimitLayer::per_connection(MAX, SECOND).fixed_window())),
        ("rate limit, by address", router().layer(RateLimitLayer::per_ip(MAX, SECOND))),
        ("trace, nobody listens", router().layer(TraceLayer::new())),
        ("tower's timeout", router().layer(TimeoutLayer::new(SECOND))),
    ];
    measure(c, "layers", routers);
}

criterion_group!(benches, provided);
criterion_main!(benches);
