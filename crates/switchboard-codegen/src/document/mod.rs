//! Documents that describe a route: AsyncAPI and JSON Schema.

mod asyncapi;
mod draft7;
mod example;
mod frame;
mod json_schema;
mod operations;

pub use self::{
    asyncapi::{AsyncApi, asyncapi},
    json_schema::json_schema,
};
