//! Examples about who hears what.

mod notifications;
mod path_rooms;
mod presence_pool;
mod rooms;
mod sharding;
