//! Nested types: structs, enums and generic ones, with rules at any depth.
#![deny(warnings)]

mod model {
    use switchboard::{ws_message, ws_payload};

    #[ws_message("POST")]
    pub struct Post {
        #[validate(nested)]
        pub attachment: Attachment,
        #[validate(nested)]
        pub more_files: Vec<Attachment>,
        pub shape: Shape,
        pub page: Page<u8>,
    }

    #[ws_payload]
    #[derive(Debug, Clone)]
    pub struct Attachment {
        #[validate(length(min = 1))]
        pub file_name: String,
        #[validate(nested)]
        pub file_size: Size,
    }

    #[ws_payload(rename_all = "snake_case")]
    #[derive(Debug, Clone)]
    pub struct Size {
        #[validate(range(min = 1))]
        pub byte_length: u64,
    }

    #[ws_payload]
    #[derive(Clone)]
    pub enum Shape {
        RoundOne { outer_radius: f64 },
        Other,
    }

    #[ws_payload]
    pub struct Page<T> {
        pub page_items: Vec<T>,
    }
}

use model::{Attachment, Page, Post, Shape, Size};
use switchboard::Message;

#[test]
fn broken_rules_of_nested_types_are_named() {
    let bad = Attachment { file_name: String::new(), file_size: Size { byte_length: 0 } };
    let post = Post {
        attachment: bad.clone(),
        more_files: vec![bad],
        shape: Shape::RoundOne { outer_radius: 1.0 },
        page: Page { page_items: vec![1] },
    };
    let issues = post.validate().unwrap_err();
    let paths: Vec<_> = issues.iter().map(|issue| issue.path().to_owned()).collect();
    assert_eq!(
        paths,
        [
            "attachment.fileName",
            "attachment.fileSize.byte_length",
            "moreFiles[0].fileName",
            "moreFiles[0].fileSize.byte_length",
        ]
    );
    _ = Shape::Other;
}
