use switchboard::{ws_message, ws_payload};

#[ws_message("JOIN")]
#[validate(nest_all_field)]
struct Join {
    #[validate(lenght(min = 1))]
    room: String,
    #[validate(length)]
    name: String,
    #[validate(range(mn = 1))]
    size: u8,
    #[validate]
    nothing: String,
    #[validate(custom)]
    custom: String,
    #[validate(schema(function = check))]
    schema: String,
    #[validate(custom(function = check, use_context))]
    context: String,
}

// What stands in `cfg_attr` is read like everything else.
#[ws_message("CONDITIONAL")]
struct Conditional {
    #[cfg_attr(all(), validate(lenght(min = 1)))]
    room: String,
}

#[ws_payload]
enum Kind {
    #[validate(length(min = 1))]
    One(String),
}

#[ws_message("NESTED")]
struct Nested {
    #[validate(nested)]
    without_rules: Plain,
}

#[ws_payload]
struct Plain {
    text: String,
}

fn main() {}
