use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::client_key::ClientKey;

/// How many of something each client holds, and all together.
///
/// It is as large as what is held: a client that holds nothing is not remembered.
#[derive(Debug, Default)]
pub(crate) struct Holders(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    each: HashMap<ClientKey, usize>,
}

/// One that a client holds, until it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    holders: Arc<Holders>,
    client: ClientKey,
}

impl Holders {
    /// Gives `client` one more, if it `may` have it: by what it holds, and what all hold.
    pub(crate) fn take(
        self: &Arc<Self>,
        client: ClientKey,
        may: impl FnOnce(usize, usize) -> bool,
    ) -> Option<Held> {
        let mut counts = self.counts();
        let held = counts.each.get(&client).copied().unwrap_or(0);
        if !may(held, counts.all) {
            return None;
        }
        counts.all += 1;
        counts.each.insert(client, held + 1);
        drop(counts);
        Some(Held {
            holders: Arc::clone(self),
            client,
        })
    }

    // A panic elsewhere leaves both counts whole.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut counts = self.holders.counts();
        counts.all -= 1;
        if let Some(held) = counts.each.get_mut(&self.client) {
            *held -= 1;
            if *held == 0 {
                counts.each.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

    fn client(number: u8) -> ClientKey {
        IpAddr::from(Ipv4Addr::new(192, 0, 2, number)).into()
    }

    proptest! {
        #[test]
        fn it_counts_as_one_would_by_hand(
            steps in vec((0_u8..5, any::<bool>(), any::<Index>()), 0..200),
        ) {
            let holders = Arc::new(Holders::default());
            let mut held: Vec<(u8, Held)> = Vec::new();
            for (number, takes, which) in steps {
                if takes || held.is_empty() {
                    let mut seen = None;
                    let taken = holders.take(client(number), |own, all| {
                        seen = Some((own, all));
                        own < 4
                    });
                    let own = held.iter().filter(|(holder, _)| *holder == number).count();
                    prop_assert_eq!(seen, Some((own, held.len())));
                    prop_assert_eq!(taken.is_some(), own < 4);
                    held.extend(taken.map(|one| (number, one)));
                } else {
                    held.swap_remove(which.index(held.len()));
                }
                let mut holding: Vec<u8> = held.iter().map(|(number, _)| *number).collect();
                holding.sort_unstable();
                holding.dedup();
                prop_assert_eq!(holders.counts().each.len(), holding.len());
            }
        }
    }
}
