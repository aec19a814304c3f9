/// Whether a JSON number, fraction and exponent included, is an integer of 32 bits.
pub(super) fn is_one(number: &[u8]) -> bool {
    let (negative, digits) = match number.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = match digits.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(e) => (&digits[..e], &digits[e + 1..]),
        None => (digits, &b"0"[..]),
    };
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&mantissa[..dot], without_last_zeros(&mantissa[dot + 1..])),
        None => (mantissa, &b""[..]),
    };
    let whole = if whole == b"0" { &b""[..] } else { whole };
    if whole.is_empty() && fraction.is_empty() {
        return true;
    }
    let Some(exponent) = str::from_utf8(exponent)
        .ok()
        .and_then(|text| text.parse::<i32>().ok())
    else {
        return false;
    };
    let integer = match usize::try_from(exponent) {
        Ok(shift) => {
            if fraction.len() > shift || whole.len() + shift > 20 {
                return false;
            }
            let mut integer = [whole, fraction].concat();
            integer.resize(whole.len() + shift, b'0');
            integer
        }
        Err(_negative) => {
            let shift = exponent.unsigned_abs() as usize;
            if !fraction.is_empty() || shift > whole.len() {
                return false;
            }
            let (integer, lost) = whole.split_at(whole.len() - shift);
            if lost.iter().any(|digit| *digit != b'0') {
                return false;
            }
            integer.to_vec()
        }
    };
    let magnitude = str::from_utf8(&integer)
        .ok()
        .and_then(|text| text.parse::<i64>().ok());
    match magnitude {
        Some(magnitude) if negative => i32::try_from(-magnitude).is_ok(),
        Some(magnitude) => i32::try_from(magnitude).is_ok(),
        None => false,
    }
}

fn without_last_zeros(digits: &[u8]) -> &[u8] {
    let last = digits.iter().rposition(|digit| *digit != b'0');
    &digits[..last.map_or(0, |last| last + 1)]
}
