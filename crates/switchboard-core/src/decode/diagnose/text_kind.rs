//! Types of other crates that are read from a string: their names in issues, and an example of
//! each.
//!
//! Their own error texts do not reach a client. They are recognised by the name of the type; if the
//! compiler writes it differently, an issue says only that the value is not valid.

/// The start of the type's name, its name in issues, and an example (empty if the format depends on
/// features).
const KINDS: [(&str, &str, &str); 21] = [
    ("uuid::", "a valid UUID", "00000000-0000-0000-0000-000000000000"),
    ("url::Url", "a valid URL", "http://localhost/"),
    ("rust_decimal::", "a valid decimal number", "0"),
    ("core::net::ip_addr::IpAddr", "a valid IP address", "127.0.0.1"),
    ("core::net::ip_addr::Ipv4Addr", "a valid IPv4 address", "127.0.0.1"),
    ("core::net::ip_addr::Ipv6Addr", "a valid IPv6 address", "::1"),
    ("core::net::socket_addr::SocketAddrV6", "a valid IP address with a port", "[::1]:1"),
    ("core::net::socket_addr::", "a valid IP address with a port", "127.0.0.1:1"),
    ("chrono::datetime::DateTime", "a valid date and time", "1970-01-01T00:00:00Z"),
    ("chrono::naive::datetime::NaiveDateTime", "a valid date and time", "1970-01-01T00:00:00"),
    ("chrono::naive::date::NaiveDate", "a valid date", "1970-01-01"),
    ("chrono::naive::time::NaiveTime", "a valid time", "00:00:00"),
    ("chrono::weekday::Weekday", "a valid weekday", "Mon"),
    ("chrono::month::Month", "a valid month", "January"),
    ("time::offset_date_time::OffsetDateTime", "a valid date and time", ""),
    ("time::utc_date_time::UtcDateTime", "a valid date and time", ""),
    ("time::primitive_date_time::PrimitiveDateTime", "a valid date and time", ""),
    ("time::date::Date", "a valid date", ""),
    ("time::time::Time", "a valid time", ""),
    ("time::utc_offset::UtcOffset", "a valid offset from UTC", ""),
    ("time::duration::Duration", "a valid duration", ""),
];

fn of(type_name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    KINDS.iter().find(|(start, ..)| type_name.starts_with(start))
}

/// Returns the name of this type in issues.
pub(super) fn noun(type_name: &str) -> Option<&'static str> {
    of(type_name).map(|(_, noun, _)| *noun)
}

/// Returns a string that this type accepts.
pub(super) fn sample(type_name: &str) -> Option<&'static str> {
    of(type_name).map(|(.., sample)| *sample).filter(|sample| !sample.is_empty())
}
