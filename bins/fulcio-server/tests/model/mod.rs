//! Any sequence of good and bad changes, each followed by SIGHUP or not, against a model of what must
//! be in force.

use std::{collections::BTreeSet, fs};

use fulcio_test_services::variable;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use super::common::{CaFiles, IdpServer, Server, chain, get, pems, request, wait_until};

/// One of the keys, with its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    One,
    Two,
    Three,
}

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    /// These chains are announced from the next reading on.
    Announce(BTreeSet<Key>),
    /// A file that is no chain is among those that are announced.
    AnnounceNonsense,
    /// The configuration has this audience from the next reading on.
    Configure(u8),
    /// The configuration is none.
    ConfigureNonsense,
    /// The files of the key and of its chain are these.
    Key(Key),
    /// The key is of the one, and the chain of the other.
    KeyOfAnother(Key, Key),
    /// The key is none.
    KeyNonsense,
    /// SIGHUP.
    ReadAgain,
}

const KEYS: [Key; 3] = [Key::One, Key::Two, Key::Three];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || prop::sample::select(&KEYS[..]);
    let keys = prop::sample::subsequence(&KEYS[..], 0..=KEYS.len());
    let step = prop_oneof![
        3 => keys.prop_map(|keys| Step::Announce(keys.into_iter().collect())),
        1 => Just(Step::AnnounceNonsense),
        2 => (0..3_u8).prop_map(Step::Configure),
        1 => Just(Step::ConfigureNonsense),
        3 => key().prop_map(Step::Key),
        1 => (key(), key()).prop_map(|(key, chain)| Step::KeyOfAnother(key, chain)),
        1 => Just(Step::KeyNonsense),
        6 => Just(Step::ReadAgain),
    ];
    prop::collection::vec(step, 8..24)
}

/// What is in the files, where it is good, or what is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State<T> {
    announced: T,
    audience: T,
    key: T,
}

/// The values of the three parts are kept as text, so that one type does for all.
type Files = State<Option<String>>;
type InForce = State<String>;

impl InForce {
    /// Takes over what is good, and tells how many parts were used.
    fn read(&mut self, files: &Files) -> [bool; 3] {
        let take = |to: &mut String, from: &Option<String>| match from {
            Some(good) => {
                to.clone_from(good);
                true
            }
            None => false,
        };
        [
            take(&mut self.key, &files.key),
            take(&mut self.announced, &files.announced),
            take(&mut self.audience, &files.audience),
        ]
    }
}

/// The operator's folder.
struct Scene {
    ca: CaFiles,
    idp: IdpServer,
}

impl Scene {
    fn new() -> Self {
        let (ca, idp) = (CaFiles::create(), IdpServer::start());
        for key in KEYS {
            let name = name(key);
            ca.openssl(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 900 \
                 -subj /O=Example/CN={name} -config openssl.cnf -extensions root \
                 -keyout {name}.key.pem -out {name}.pem"
            ));
        }
        Self { ca, idp }
    }

    fn chain(&self, key: Key) -> String {
        self.ca.read(&format!("{}.pem", name(key)))
    }

    fn put_key(&self, key: Key, chain: Key) {
        let key = self.ca.read(&format!("{}.key.pem", name(key)));
        self.ca.write("key.pem", &key);
        self.ca.write("chain.pem", &self.chain(chain));
    }

    fn configure(&self, audience: u8) {
        let config = self.idp.config();
        let more = format!(
            "  https://x.example.com:\n    issuer-url: https://x.example.com\n    \
             client-id: audience-{audience}\n    type: email\n"
        );
        self.ca.write("config.yaml", &(config + &more));
    }

    fn announce(&self, keys: &BTreeSet<Key>) {
        let folder = self.ca.folder().join("announced");
        drop(fs::remove_dir_all(&folder));
        fs::create_dir(&folder).unwrap();
        for key in keys {
            self.ca
                .write(&format!("announced/{}.pem", name(*key)), &self.chain(*key));
        }
        // What is no chain for its name is not looked at.
        self.ca.write("announced/README", "nothing");
    }

    /// Puts the files as the step says.
    fn change(&self, step: &Step, files: &mut Files) {
        match step {
            Step::Announce(keys) => {
                self.announce(keys);
                files.announced = Some(format!("{keys:?}"));
            }
            Step::AnnounceNonsense => {
                self.ca.write("announced/nonsense.pem", "no chain");
                files.announced = None;
            }
            Step::Configure(audience) => {
                self.configure(*audience);
                files.audience = Some(format!("audience-{audience}"));
            }
            Step::ConfigureNonsense => {
                self.ca.write("config.yaml", "oidc-issuers: [");
                files.audience = None;
            }
            Step::Key(key) => {
                self.put_key(*key, *key);
                files.key = Some(format!("{key:?}"));
            }
            Step::KeyOfAnother(key, chain) => {
                self.put_key(*key, *chain);
                files.key = (key == chain).then(|| format!("{key:?}"));
            }
            Step::KeyNonsense => {
                self.ca.write("key.pem", "no key");
                files.key = None;
            }
            Step::ReadAgain => {}
        }
    }

    /// What the server says is in force; the certificate that it issues is under the first chain.
    fn in_force(&self, server: &Server) -> InForce {
        let of = |pem: &str| {
            let is = |key: &&Key| self.chain(**key).trim() == pem.trim();
            *KEYS.iter().find(is).expect("one of the chains")
        };
        let bundle = get(&server.url("/api/v2/trustBundle")).json();
        let chains: Vec<Key> = bundle["chains"]
            .as_array()
            .unwrap()
            .iter()
            .map(|chain| of(&pems(chain)[0]))
            .collect();
        let [active, others @ ..] = &chains[..] else {
            panic!("an empty bundle");
        };
        assert!(others.is_sorted() && !others.contains(active), "{chains:?}");
        assert_eq!(of(&chain(&request(server, &self.idp))[1]), *active);
        let issuers = get(&server.url("/api/v2/configuration")).json();
        let issuers = issuers["issuers"].as_array().unwrap();
        let audience = |issuer: &Value| issuer["audience"].as_str().unwrap().to_owned();
        let mut audiences = issuers.iter().map(audience);
        State {
            announced: format!("{:?}", others.iter().collect::<BTreeSet<_>>()),
            audience: audiences.find(|audience| audience != "sigstore").unwrap(),
            key: format!("{active:?}"),
        }
    }
}

fn name(key: Key) -> &'static str {
    match key {
        Key::One => "1-one",
        Key::Two => "2-two",
        Key::Three => "3-three",
    }
}

/// What verifiers see: the active chain is not told of twice.
fn seen(in_force: &InForce) -> InForce {
    let announced = KEYS
        .into_iter()
        .filter(|key| in_force.announced.contains(&format!("{key:?}")))
        .filter(|key| format!("{key:?}") != in_force.key);
    State {
        announced: format!("{:?}", announced.collect::<BTreeSet<_>>()),
        ..in_force.clone()
    }
}

fn holds(scene: &Scene, steps: &[Step]) {
    scene.put_key(Key::One, Key::One);
    scene.configure(0);
    scene.announce(&BTreeSet::new());
    let mut files = State {
        announced: Some("{}".to_owned()),
        audience: Some("audience-0".to_owned()),
        key: Some("One".to_owned()),
    };
    let mut model = State {
        announced: "{}".to_owned(),
        audience: "audience-0".to_owned(),
        key: "One".to_owned(),
    };
    let path = |name: &str| scene.ca.path(name);
    let server = Server::start(&[
        "--ca=fileca",
        "--fileca-key-passwd=any",
        "--ct-log-url=",
        "--fileca-watch=false",
        "--config-watch=false",
        &format!("--fileca-key={}", path("key.pem")),
        &format!("--fileca-cert={}", path("chain.pem")),
        &format!("--config-path={}", path("config.yaml")),
        &format!("--announce-chain-path={}", path("announced")),
    ]);
    let mut counts = [[0; 2]; 3];
    for step in steps {
        scene.change(step, &mut files);
        if matches!(step, Step::ReadAgain) {
            for (count, used) in counts.iter_mut().zip(model.read(&files)) {
                count[usize::from(used)] += 1;
            }
            let all: usize = counts.iter().flatten().sum();
            server.signal("HUP");
            wait_until("a line for each part", || {
                let output = server.output();
                let lines = ["was read again and is in use", "stays as it was, because"];
                let said: usize = lines.iter().map(|line| output.matches(line).count()).sum();
                (said == all).then_some(())
            });
        }
        assert_eq!(scene.in_force(&server), seen(&model), "after {step:?}");
    }
    let page = server.metrics();
    for (part, [refused, used]) in ["issuing-key", "announced-chains", "issuers"]
        .into_iter()
        .zip(counts)
    {
        for (outcome, count) in [("used", used), ("refused", refused)] {
            let sample =
                format!("fulcio_reloads_total{{outcome=\"{outcome}\",part=\"{part}\"}} {count}\n");
            assert!(page.contains(&sample), "{sample} is not in {page}");
        }
    }
    assert!(server.terminate().success());
}

#[test]
fn what_is_in_force_is_what_the_model_says_after_any_sequence_of_changes() {
    let full = variable("FULCIO_TEST_FULL").is_some_and(|full| full == "1");
    let mut runner = TestRunner::new(Config {
        cases: if full { 100 } else { 4 },
        failure_persistence: None,
        max_shrink_iters: 30,
        ..Config::default()
    });
    let scene = Scene::new();
    let outcome = runner.run(&steps(), |steps| {
        holds(&scene, &steps);
        Ok(())
    });
    outcome.unwrap();
}
