use core::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use fulcio_cert_builder::SerialNumber;

use crate::Error;

/// Where serial numbers come from (RFC 5280 section 4.1.2.2).
pub trait SerialNumbers: fmt::Debug + Send + Sync {
    /// A number that this authority has not used before.
    ///
    /// # Errors
    /// The source of randomness failed.
    fn next(&self) -> Result<SerialNumber, Error>;
}

/// 159 random bits each.
#[derive(Debug, Default)]
pub struct RandomSerialNumbers(SystemRandom);

impl SerialNumbers for RandomSerialNumbers {
    fn next(&self) -> Result<SerialNumber, Error> {
        let mut octets = [0; 20];
        self.0.fill(&mut octets).map_err(Error::Randomness)?;
        Ok(SerialNumber::from_random(octets))
    }
}
