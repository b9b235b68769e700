//! Names of fields and variants that are unusual.

use switchboard::{ws_message, ws_payload};

#[ws_message("NAMES")]
pub struct Names {
    #[validate(range(max = 9))]
    pub über: u8,
    #[validate(range(max = 9))]
    pub größe_in_cm: u8,
    #[validate(range(max = 9))]
    pub r#type: u8,
    #[validate(range(max = 9))]
    pub r#final_word: u8,
    #[validate(range(max = 9))]
    pub __x: u8,
    #[validate(range(max = 9))]
    pub _1: u8,
    #[validate(range(max = 9))]
    pub a1b: u8,
    #[validate(range(max = 9))]
    pub __: u8,
    #[validate(nested)]
    pub wahl: Wahl,
}

#[ws_payload]
pub enum Wahl {
    Über {
        #[validate(range(max = 9))]
        öl_stand: u8,
    },
    #[serde(rename_all = "snake_case")]
    Plain {
        #[validate(range(max = 9))]
        some_size: u8,
    },
}
