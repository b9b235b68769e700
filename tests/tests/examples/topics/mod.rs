//! Examples of topics and their subscribers.

mod notifications;
mod path_rooms;
mod presence_pool;
mod rooms;
mod sharding;
