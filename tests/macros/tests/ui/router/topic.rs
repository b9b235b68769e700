#![allow(unused)]

use std::time::Duration;

use switchboard::{BatchOptions, Conn, Hub, PublishError, Topic, WsMessages, WsRouter, ws_message};

#[ws_message("NEWS")]
struct News {}

#[ws_message("WEATHER")]
struct Weather {}

#[derive(WsMessages)]
enum ServerMessage {
    News(News),
}

const NEWS: Topic<News> = Topic::from_static("news");

async fn by_hub(hub: Hub) {
    hub.publish(&NEWS, Weather {}).await;
    hub.publish(NEWS, Weather {}).await;
    hub.topic(&NEWS).throttle(Duration::ZERO).publish(Weather {});
    hub.topic(&NEWS).batch(BatchOptions::new(), |_: Vec<u8>| Weather {});
    hub.topic(&NEWS).throttle::<Weather>(Duration::ZERO);
    hub.topic(NEWS).throttle::<Weather>(Duration::ZERO);
    hub.publish(7, News {}).await;
}

async fn by_connection(conn: Conn<(), ServerMessage>) {
    conn.publish(&NEWS, Weather {}).await;
    conn.publish("news", Weather {}).await;
    conn.is_subscribed(7);
}

// Fine.
async fn all_right(hub: Hub, conn: Conn<(), ServerMessage>, name: &String) -> Result<(), PublishError> {
    conn.publish(&NEWS, News {}).await?;
    hub.publish(NEWS.name(), Weather {}).await?;
    hub.publish(name, Weather {}).await?;
    hub.topic(&NEWS).throttle(Duration::ZERO).publish(News {})
}

fn main() {}
