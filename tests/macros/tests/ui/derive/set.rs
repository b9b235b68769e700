use switchboard::{MemberOf, WsMessages, ws_message};

#[ws_message("JOINED")]
struct Joined {}

#[ws_message("LEFT")]
struct Left {}

struct Plain;

#[derive(WsMessages)]
struct Struct {
    joined: Joined,
}

#[derive(WsMessages)]
enum Generic<T> {
    A(T),
}

#[derive(WsMessages)]
enum Shapes {
    Unit,
    Named { joined: Joined },
    Two(Joined, Left),
}

#[derive(WsMessages)]
enum NoMessage {
    Plain(Plain),
}

#[derive(WsMessages)]
enum ServerMessage {
    Joined(Joined),
}

fn send(_: impl MemberOf<ServerMessage>) {}

fn main() {
    send(Joined {});
    send(Left {});
}
