//! What Unicode 3.2.0 said of characters: the database that IDNA is defined on (`unicodedata.ucd_3_2_0`).

use super::generated::version_3_2 as data;

/// Was the character assigned after 3.2.0?
pub fn is_newer(code: u32) -> bool {
    let index = data::ADDED.partition_point(|range| range.1 < code);
    data::ADDED.get(index).is_some_and(|range| range.0 <= code)
}

fn change(code: u32) -> Option<&'static (u32, &'static str, &'static str, &'static str, bool)> {
    data::CHANGES.binary_search_by_key(&code, |row| row.0).ok().map(|index| &data::CHANGES[index])
}

pub fn category(code: u32) -> &'static str {
    if is_newer(code) { "Cn" } else { change(code).map_or_else(|| super::category(code), |row| row.1) }
}

pub fn bidirectional(code: u32) -> &'static str {
    if is_newer(code) { "" } else { change(code).map_or_else(|| super::bidirectional(code), |row| row.2) }
}

pub fn east_asian_width(code: u32) -> &'static str {
    if is_newer(code) { "N" } else { change(code).map_or_else(|| super::east_asian_width(code), |row| row.3) }
}

pub fn is_mirrored(code: u32) -> bool {
    !is_newer(code) && change(code).map_or_else(|| super::is_mirrored(code), |row| row.4)
}

pub fn combining(code: u32) -> u8 {
    if is_newer(code) { 0 } else { super::combining(code) }
}

pub fn decimal(code: u32) -> Option<u8> {
    if is_newer(code) {
        return None;
    }
    match data::DECIMALS.binary_search_by_key(&code, |row| row.0) {
        Ok(index) => Some(data::DECIMALS[index].1),
        Err(_) => super::decimal(code),
    }
}

/// The canonical mapping that a later version corrected.
pub(super) fn correction(code: u32) -> Option<u32> {
    data::CORRECTIONS.binary_search_by_key(&code, |row| row.0).ok().map(|index| data::CORRECTIONS[index].1)
}
