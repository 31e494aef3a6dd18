//! A vector as one line of hexadecimal digits, so a recorded embedding stays readable.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::text;

/// Eight digits per number: IEEE 754 single precision, big-endian.
pub(super) fn serialize<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    serializer.serialize_str(&text::hex(&bytes))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    if !digits.is_ascii() || digits.len() % 8 != 0 {
        return Err(D::Error::custom("an embedding must have eight hexadecimal digits per number"));
    }
    (0..digits.len() / 8)
        .map(|index| u32::from_str_radix(&digits[index * 8..index * 8 + 8], 16))
        .map(|bits| bits.map(f32::from_bits).map_err(D::Error::custom))
        .collect()
}
