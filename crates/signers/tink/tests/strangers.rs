//! Whatever is in a keyset, reading it ends in a signer or in an error, and a signer has a key of
//! the keyset.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod wrapped;

use fulcio_signer::Signer as _;
use fulcio_signer_tink::TinkSigner;
use proptest::{collection::vec, prelude::*, sample::Index};
use wrapped::{Key, Plain, binary, ed25519, json, keyset, p256};

/// What a file may be changed by.
#[derive(Clone, Debug)]
enum Change {
    Cut(Index),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        any::<Index>().prop_map(Change::Remove),
    ]
}

fn changed(mut file: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if file.is_empty() {
            break;
        }
        match change {
            Change::Cut(at) => file.truncate(at.index(file.len())),
            Change::Flip(at, bits) => {
                let at = at.index(file.len());
                file[at] ^= bits;
            }
            Change::Insert(at, bytes) => {
                let at = at.index(file.len());
                file.splice(at..at, bytes.iter().copied());
            }
            Change::Remove(at) => {
                file.remove(at.index(file.len()));
            }
        }
    }
    file
}

/// Opens it; the public key of a signer is one of those that were in there before.
fn open(file: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    if let Ok(signer) = runtime.block_on(TinkSigner::from_keyset(file, &Plain)) {
        let spki = signer.public_key();
        let known = [p256().x, wrapped::hex(ED25519)];
        let found = |half: &Vec<u8>| spki.windows(half.len()).any(|window| window == half);
        assert!(known.iter().any(found), "{spki:?}");
    }
}

const ED25519: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

fn decrypted() -> Vec<u8> {
    let other = Key { id: 7, ..ed25519() };
    keyset(wrapped::ID, &[other, p256().key()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(file in vec(any::<u8>(), 0..300)) {
        open(&file);
        open(&binary(&file));
    }

    #[test]
    fn any_json(value in "\\{\"(encryptedKeyset|encrypted_keyset|key)\": ?\"?[A-Za-z0-9+/=_-]{0,80}\"?[,}]{0,2}") {
        open(value.as_bytes());
    }

    #[test]
    fn a_changed_file(changes in vec(change(), 1..4)) {
        open(&changed(json(&decrypted()), &changes));
        open(&changed(binary(&decrypted()), &changes));
    }

    #[test]
    fn a_changed_content(changes in vec(change(), 1..4)) {
        open(&binary(&changed(decrypted(), &changes)));
    }
}
