//! CRC-32 and the CRC of BinHex 4.

const fn table32(rounds: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 * rounds {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

/// `TABLES[n]` advances a byte over itself and `n` more.
static TABLES: [[u32; 256]; 8] =
    [table32(1), table32(2), table32(3), table32(4), table32(5), table32(6), table32(7), table32(8)];

/// CRC-32 of `data`, going on from `crc`.
pub fn crc32(data: &[u8], crc: u32) -> u32 {
    let mut crc = !crc;
    let mut eights = data.chunks_exact(8);
    for eight in &mut eights {
        let head = u32::from_le_bytes([eight[0], eight[1], eight[2], eight[3]]) ^ crc;
        let at = |table: usize, byte: u32| TABLES[table][(byte & 255) as usize];
        crc = at(7, head) ^ at(6, head >> 8) ^ at(5, head >> 16) ^ at(4, head >> 24);
        crc ^= at(3, eight[4].into()) ^ at(2, eight[5].into()) ^ at(1, eight[6].into()) ^ at(0, eight[7].into());
    }
    for &byte in eights.remainder() {
        crc = crc >> 8 ^ TABLES[0][((crc ^ u32::from(byte)) & 255) as usize];
    }
    !crc
}

static HQX: [u16; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = (i as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

/// CRC-CCITT of `data`, going on from `crc`.
pub fn crc_hqx(data: &[u8], crc: u16) -> u16 {
    data.iter().fold(crc, |crc, &byte| crc << 8 ^ HQX[usize::from((crc >> 8) as u8 ^ byte)])
}
