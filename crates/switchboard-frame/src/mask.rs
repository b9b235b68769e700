//! Masking.

/// Masks a payload, or unmasks it again. `offset` is the position of the first byte in the frame's
/// payload, for payloads that arrive in portions.
///
/// Eight bytes at a time, which compilers turn into vector instructions.
///
/// ```
/// let mut text = *b"hello";
/// switchboard_frame::apply_mask(&mut text, [1, 2, 3, 4], 0);
/// switchboard_frame::apply_mask(&mut text, [1, 2, 3, 4], 0);
/// assert_eq!(&text, b"hello");
/// ```
#[inline]
pub fn apply_mask(payload: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let word = u64::from(u32::from_ne_bytes(key));
    let word = word << 32 | word;
    let (words, rest) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_6455_5_3_masking_in_any_portions() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let plain: Vec<u8> = (0..=255).collect();
        let expected: Vec<u8> = plain.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        for cut in 0..=plain.len() {
            let mut masked = plain.clone();
            let (a, b) = masked.split_at_mut(cut);
            apply_mask(a, key, 0);
            apply_mask(b, key, cut);
            assert_eq!(masked, expected, "{cut}");
        }
    }
}
