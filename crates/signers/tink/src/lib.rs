//! Signers whose key is in a Tink keyset that a key service has wrapped.
//!
//! A keyset is a file that Tink's own tools and libraries write: the keys, encrypted with a key
//! that never leaves its service. A [`TinkSigner`] has the service decrypt it once, through any
//! [`KeyUnwrap`](fulcio_signer::KeyUnwrap), and signs with the keyset's primary key in this process
//! from then on; the service may be away meanwhile. Keysets are not read again: a new primary key
//! needs a restart, with the chain of that key.
//!
//! Who decrypts is said by a URI, and each kind is in the crate of its service, with a reference
//! that is parsed (`FromStr`) and opened with that service's configuration:
//!
//! | URI | crate | reference | opened |
//! |---|---|---|---|
//! | `aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID` | `fulcio-signer-aws-kms` | `UnwrapKeyReference` | `AwsKmsUnwrap::open(&reference, &AwsConfig)` |
//! | `gcp-kms://projects/…/cryptoKeys/KEY` | `fulcio-signer-gcp-kms` | `UnwrapReference` | `GcpKmsUnwrap::open(&reference, &GcpKmsConfig)` |
//! | `hcvault://HOST:PORT/transit/keys/KEY` | `fulcio-signer-hashivault` | `UnwrapKeyReference` | `HashivaultUnwrap::open(&reference, &VaultConfig)` |
//!
//! ```no_run
//! use fulcio_signer::{KeyUnwrap, Signer};
//! use fulcio_signer_tink::TinkSigner;
//!
//! # async fn example(key_service: impl KeyUnwrap) -> Result<(), Box<dyn std::error::Error>> {
//! let signer = TinkSigner::open("/etc/fulcio/keyset.json", &key_service).await?;
//! println!("{}, key {}", signer.algorithm(), signer.key_id());
//! # Ok(())
//! # }
//! ```
//!
//! # Keysets
//!
//! An `EncryptedKeyset`, in JSON or in binary protobuf; which of both is seen by the content. It was
//! encrypted without associated data. The primary key is enabled, and one of
//!
//! | key | hash in the keyset | signs with |
//! |---|---|---|
//! | ECDSA on P-256 | SHA-256 | SHA-256 |
//! | ECDSA on P-384 | SHA-384 or SHA-512 | SHA-384 |
//! | ECDSA on P-521 | SHA-512 | SHA-512 |
//! | Ed25519 | – | |
//!
//! Certificates are signed as the curve asks, whatever the keyset says of the hash, of the encoding
//! of signatures and of the prefix before them; so does Fulcio.
//!
//! # What becomes of the key
//!
//! What the service has decrypted is wiped when the signer is open, and no copy is made of it but
//! the one that signs, which the cryptographic library wipes. What the client of the service held on
//! the way, such as the HTTP answer, is not for this crate to wipe. No error and no `Debug` has any
//! of it.
//!
//! # What an operator sees
//!
//! All of it is at start, before any certificate; a running signer needs nobody.
//!
//! | what happened | text | kind |
//! |---|---|---|
//! | the file is not there, or not readable | `FILE: the keyset file cannot be read: …; check the path and its permissions` | – |
//! | it is something else, or cut off | `FILE: it is not an encrypted Tink keyset, in JSON or in binary protobuf, or is damaged: …` | – |
//! | it is not encrypted | `FILE: the Tink keyset is not encrypted; …` | – |
//! | another key encrypted it, or it is damaged inside | `… cannot decrypt it with the key KEY …; it was encrypted with another key …` | `Invalid` |
//! | the key service does not allow it | `… refused …` | `Denied` |
//! | the key service is away, slow or throttles | `… did not do it within N ms: …` | `Unavailable` |
//! | the primary key is missing, disabled, or there twice | `the keyset has no key ID, …`, `the primary key ID of the keyset is disabled; …`, `the keyset has several keys ID, …` | – |
//! | it is of another type | `the primary key ID of the keyset is of a type that is not used (HmacKey); use …` | – |
//! | its halves do not belong together | `the primary key ID of the keyset is not valid: …` | – |

mod encrypted_keyset;
mod error;
mod keyset;
mod private_key;
mod signer;

pub use error::{Error, KeysetError};
pub use signer::TinkSigner;
