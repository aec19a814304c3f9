use num_bigint::BigUint;

use crate::{KeyKind, Weakness};

/// An RSA modulus, and the tests that tell a bad one.
pub(crate) struct Modulus<'a> {
    big_endian: &'a [u8],
}

impl<'a> Modulus<'a> {
    /// Takes the bytes of an unsigned number without leading zeros.
    pub(crate) fn new(big_endian: &'a [u8]) -> Self {
        Self { big_endian }
    }

    /// Holds the modulus and its exponent to the key policy, the cheapest test first, so that an
    /// absurdly long number costs nothing.
    pub(crate) fn approve(&self, exponent: u64) -> Result<KeyKind, Weakness> {
        let kind = match self.bits() {
            2048 => KeyKind::Rsa2048,
            3072 => KeyKind::Rsa3072,
            4096 => KeyKind::Rsa4096,
            bits => return Err(Weakness::Size { bits }),
        };
        if exponent != EXPONENT {
            return Err(Weakness::Exponent);
        }
        let modulus = BigUint::from_bytes_be(self.big_endian);
        test_small_primes(&modulus.to_u64_digits())?;
        if has_close_factors(&modulus) {
            return Err(Weakness::CloseFactors);
        }
        Ok(kind)
    }

    fn bits(&self) -> usize {
        match self.big_endian {
            [] => 0,
            [first, rest @ ..] => (8 - first.leading_zeros() as usize) + 8 * rest.len(),
        }
    }
}

/// Finds a factor below 752, and the ROCA fingerprint.
///
/// The primes of a ROCA key (Nemec et al., "The Return of Coppersmith's Attack", 2017) have the form
/// k·M + (65537^a mod M), where M is the product of the first primes. So, modulo each of those
/// primes, the modulus too is a power of 65537. For a random number that holds modulo the 38 odd
/// primes up to 167 with a probability of about 2^-28.
fn test_small_primes(limbs: &[u64]) -> Result<(), Weakness> {
    let mut roca = true;
    let mut rest = PRIMES.as_slice();
    let mut index = 0;
    while !rest.is_empty() {
        // As many primes at once as one machine word holds: one pass over the limbs serves them all.
        let mut product = 1_u64;
        let mut count = 0;
        while let Some(next) = rest
            .get(count)
            .and_then(|&prime| product.checked_mul(prime.into()))
        {
            product = next;
            count += 1;
        }
        let remainder = remainder(limbs, product);
        for &prime in &rest[..count] {
            let residue = remainder % u64::from(prime);
            if residue == 0 {
                return Err(Weakness::SmallFactor(prime));
            }
            if let Some(powers) = POWERS_OF_65537.get(index) {
                roca &= powers[residue as usize / 64] >> (residue % 64) & 1 == 1;
            }
            index += 1;
        }
        rest = &rest[count..];
    }
    if roca {
        return Err(Weakness::Roca);
    }
    Ok(())
}

/// Whether Fermat's method factors the number in 100 rounds.
///
/// An odd number is a difference of two squares, a² − b² = (a + b)(a − b). Where its factors are
/// close, a is just above the number's square root.
fn has_close_factors(modulus: &BigUint) -> bool {
    let root = modulus.sqrt();
    if &root * &root == *modulus {
        return true;
    }
    let mut step = &root * 2_u32 + 3_u32;
    let a = root + 1_u32;
    let mut b_squared = &a * &a - modulus;
    for _ in 0..FERMAT_ROUNDS {
        if is_square(&b_squared) {
            return true;
        }
        b_squared += &step;
        step += 2_u32;
    }
    false
}

/// Whether a number is a square; two cheap residues spare most numbers the root.
fn is_square(number: &BigUint) -> bool {
    let low = number.iter_u64_digits().next().unwrap_or(0);
    if SQUARES_MODULO_64 >> (low % 64) & 1 == 0 {
        return false;
    }
    let remainder = remainder(&number.to_u64_digits(), MODULUS_OF_SQUARES as u64) as usize;
    if SQUARES[remainder / 64] >> (remainder % 64) & 1 == 0 {
        return false;
    }
    let root = number.sqrt();
    &root * &root == *number
}

fn remainder(limbs: &[u64], divisor: u64) -> u64 {
    limbs.iter().rev().fold(0, |remainder, &limb| {
        let dividend = u128::from(remainder) << 64 | u128::from(limb);
        (dividend % u128::from(divisor)) as u64
    })
}

/// The one public exponent that is allowed.
const EXPONENT: u64 = 65537;

const FERMAT_ROUNDS: usize = 100;

/// The primes below 752.
const PRIMES: [u16; 133] = {
    let mut primes = [0; 133];
    let mut found = 0;
    let mut candidate = 2_u16;
    while candidate < 752 {
        let mut divisor = 0;
        while divisor < found && !candidate.is_multiple_of(primes[divisor]) {
            divisor += 1;
        }
        if divisor == found {
            primes[found] = candidate;
            found += 1;
        }
        candidate += 1;
    }
    primes
};

/// For each prime up to 167, a set (one bit a number) of the powers of 65537 modulo the prime.
/// (For 2 that is every odd number, which tells nothing and hurts nothing.)
const POWERS_OF_65537: [[u64; 3]; 39] = {
    let mut sets = [[0; 3]; 39];
    let mut index = 0;
    while index < sets.len() {
        let prime = PRIMES[index] as u64;
        let mut power = 1;
        while sets[index][power as usize / 64] >> (power % 64) & 1 == 0 {
            sets[index][power as usize / 64] |= 1 << (power % 64);
            power = power * 65537 % prime;
        }
        index += 1;
    }
    sets
};

/// The squares modulo 64, one bit a number.
const SQUARES_MODULO_64: u64 = {
    let mut set = 0;
    let mut root = 0_u64;
    while root < 64 {
        set |= 1 << (root * root % 64);
        root += 1;
    }
    set
};

/// 9 · 5 · 7 · 11: one number in twelve is a square modulo this.
const MODULUS_OF_SQUARES: usize = 3465;

/// The squares modulo [`MODULUS_OF_SQUARES`], one bit a number.
const SQUARES: [u64; MODULUS_OF_SQUARES.div_ceil(64)] = {
    let mut set = [0; MODULUS_OF_SQUARES.div_ceil(64)];
    let mut root = 0;
    while root < MODULUS_OF_SQUARES {
        let square = root * root % MODULUS_OF_SQUARES;
        set[square / 64] |= 1 << (square % 64);
        root += 1;
    }
    set
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primes_are_those_below_752() {
        assert_eq!(PRIMES[..5], [2, 3, 5, 7, 11]);
        assert_eq!(PRIMES[38], 167);
        assert_eq!(PRIMES[132], 751);
    }

    #[test]
    fn every_square_passes_the_cheap_tests() {
        for root in 0_u32..5000 {
            assert!(is_square(&(BigUint::from(root) * root)), "{root}²");
            assert!(!is_square(&(BigUint::from(root + 2) * (root + 2) + 1_u32)));
        }
    }

    #[test]
    fn fermat_looks_exactly_100_rounds_far() {
        // With a = root + k and b² = a² − n, the method needs k rounds.
        let root = BigUint::from(1_u32) << 1023;
        let with_rounds = |rounds: u32| {
            let a: BigUint = &root + rounds;
            let b = BigUint::sqrt(&(&a * &a - &root * &root));
            let modulus = &a * &a - &b * &b;
            assert_eq!(modulus.sqrt(), root, "the first round is at root + 1");
            modulus
        };
        assert!(has_close_factors(&with_rounds(1)));
        assert!(has_close_factors(&with_rounds(100)));
        assert!(!has_close_factors(&with_rounds(101)));
    }

    #[test]
    fn a_square_has_close_factors() {
        let prime = (BigUint::from(1_u32) << 1024) - 105_u32;
        assert!(has_close_factors(&(&prime * &prime)));
    }
}
