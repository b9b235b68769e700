//! The server that is measured, on one thread, or on `WORKERS` threads with `RT=multi`; one node of
//! several with the address of a broker in `SWITCHBOARD_BROKER`. With `UNCONFIRMED`, publishes do not wait for the broker.

use switchboard::Hub;
use switchboard_tests::{bench, broker, serve::run};

fn main() -> std::io::Result<()> {
    run(async || {
        let hub = broker::build(Hub::builder()).await?;
        Ok((bench::app_on(&hub, std::env::var_os("UNCONFIRMED").is_some()), hub))
    })
}
