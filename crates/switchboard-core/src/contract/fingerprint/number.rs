//! JSON numbers, whatever their size, in one notation.

/// Appends digits without zeros around them and the exponent of the last one: `15e-1` for `1.50`.
pub(super) fn write_canonical(out: &mut Vec<u8>, number: &str) {
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let Some(first) = digits().position(|digit| digit != b'0') else {
        // -0 is 0.
        return out.push(b'0');
    };
    let trailing = digits().rev().take_while(|digit| *digit == b'0').count();
    if negative {
        out.push(b'-');
    }
    let len = whole.len() + fraction.len() - trailing;
    out.extend(digits().take(len).skip(first));
    // A text is shorter than `isize::MAX`.
    let shift = trailing as i128 - fraction.len() as i128;
    write_exponent(out, exponent, shift);
}

fn write_exponent(out: &mut Vec<u8>, exponent: &str, shift: i128) {
    let (negative, digits) = match exponent.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let digits = digits.trim_start_matches('0');
    let value = if digits.is_empty() { Some(0) } else { parse(digits) };
    match value.map(|value| if negative { -value } else { value } + shift) {
        Some(0) => {}
        Some(value) => out.extend_from_slice(format!("e{value}").as_bytes()),
        // Nothing computes with such a number: it is the same where it is written the same.
        None => out.extend_from_slice(format!("e{}{digits}{shift:+}", if negative { "-" } else { "" }).as_bytes()),
    }
}

/// `None` beyond 30 digits, so that sums stay in range.
fn parse(digits: &str) -> Option<i128> {
    if digits.len() <= 30 { digits.parse().ok() } else { None }
}
