use switchboard::{Message, ws_message};

#[ws_message("ENUM")]
enum Enum {
    A,
}

#[ws_message("UNION")]
union Union {
    a: u8,
}

#[ws_message("GENERIC")]
struct Generic<T> {
    a: T,
}

#[ws_message("BORROWED")]
struct Borrowed<'a> {
    a: &'a str,
}

#[ws_message("TUPLE")]
struct Tuple(String);

#[ws_message("FUNCTION")]
fn function() {}

fn is_message<M: Message>() {}

fn main() {
    is_message::<Enum>();
    is_message::<Tuple>();
    function();
}
