//! What the feature `metrics` and its layer add to a request, as long as no recorder is installed.

#[path = "shared/layers.rs"]
mod layers;
#[path = "shared/pair.rs"]
mod pair;

use criterion::{Criterion, criterion_group, criterion_main};
use switchboard::middleware::MetricsLayer;

use self::layers::{measure, router};

fn metrics(c: &mut Criterion) {
    let routers = [("none", router()), ("metrics", router().layer(MetricsLayer::new()))];
    measure(c, "layers, feature metrics", routers);
}

criterion_group!(benches, metrics);
criterion_main!(benches);
