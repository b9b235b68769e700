//! Names in the case of another language.

/// `room_meta`, `roomMeta`, `Page_for_Profile` → `RoomMeta`, `PageForProfile`.
pub(crate) fn pascal(name: &str) -> String {
    let mut text = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        text.push_str(&first.to_ascii_uppercase());
        // `JOIN_ROOM` has words in capitals, `RoomMeta` is already what it should be.
        let shouting = rest.chars().all(|c| !c.is_ascii_lowercase()) && rest.len() > 1;
        text.push_str(&if shouting && name.contains('_') { rest.to_ascii_lowercase() } else { rest.to_owned() });
    }
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, 'T');
    }
    text
}

/// `room_meta` → `roomMeta`.
pub(crate) fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let (first, rest) = pascal.split_at(1);
    format!("{}{rest}", first.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        assert_eq!(pascal("RoomMeta"), "RoomMeta");
        assert_eq!(pascal("room-meta"), "RoomMeta");
        assert_eq!(pascal("JOIN_ROOM"), "JoinRoom");
        assert_eq!(pascal("Page_for_Profile"), "PageForProfile");
        assert_eq!(pascal("HTTPError"), "HTTPError");
        assert_eq!(pascal("4ü"), "T4");
        assert_eq!(camel("chat_room"), "chatRoom");
    }
}
