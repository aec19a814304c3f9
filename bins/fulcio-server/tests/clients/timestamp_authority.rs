use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::common::openssl;

/// OpenSSL as a timestamp authority (RFC 3161) over HTTP.
#[derive(Debug)]
pub(crate) struct TimestampAuthority {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

impl TimestampAuthority {
    /// A new authority in `folder`, where its chain is `stamps.pem` afterwards.
    pub(crate) fn start(folder: &Path) -> Self {
        let office = Office::open(folder);
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let listener = thread::spawn(move || {
            for stream in socket.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // Who goes away has to look for itself.
                drop(stream.and_then(|stream| office.answer(&stream)));
            }
        });
        Self {
            address,
            stopped,
            listener: Some(listener),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1/timestamp", self.address)
    }
}

impl Drop for TimestampAuthority {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The thread waits for a connection, and looks whether it has to stop then.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            drop(listener.join());
        }
    }
}

/// The folder with the keys.
struct Office(PathBuf);

impl Office {
    fn open(folder: &Path) -> Self {
        let office = Self(folder.join("stamps"));
        fs::create_dir(&office.0).unwrap();
        fs::write(office.0.join("openssl.cnf"), CONFIGURATION).unwrap();
        for name in ["root", "stamps"] {
            office.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"
            ));
        }
        office.openssl(
            "req -x509 -new -key root.key -sha256 -days 10 -subj /O=Example/CN=stamps-root \
             -config openssl.cnf -extensions root -out root.pem",
        );
        office.openssl(
            "req -new -key stamps.key -subj /O=Example/CN=stamps -config openssl.cnf \
             -out stamps.csr",
        );
        office.openssl(
            "x509 -req -in stamps.csr -CA root.pem -CAkey root.key -sha256 -days 10 \
             -CAcreateserial -extfile openssl.cnf -extensions stamps -out stamps.pem",
        );
        let chain =
            ["stamps.pem", "root.pem"].map(|name| fs::read_to_string(office.0.join(name)).unwrap());
        fs::write(folder.join("stamps.pem"), chain.concat()).unwrap();
        office
    }

    fn openssl(&self, arguments: &str) {
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        openssl(&self.0, &arguments);
    }

    fn answer(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line)? > 2 {
            let header = line.to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let stamp = self.stamp(&body);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            stamp.len()
        )?;
        stream.write_all(&stamp)
    }

    /// The answer to a query, in DER or in the JSON that sigstore-js sends.
    fn stamp(&self, query: &[u8]) -> Vec<u8> {
        match serde_json::from_slice::<Value>(query) {
            Ok(json) => {
                let digest = json["artifactHash"].as_str().unwrap();
                let digest = BASE64_STANDARD.decode(digest).unwrap();
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                let algorithm = json["hashAlgorithm"].as_str().unwrap();
                self.openssl(&format!(
                    "ts -query -digest {digest} -{algorithm} -cert -out query"
                ));
            }
            Err(_der) => fs::write(self.0.join("query"), query).unwrap(),
        }
        self.openssl("ts -reply -config openssl.cnf -queryfile query -out reply");
        fs::read(self.0.join("reply")).unwrap()
    }
}

const CONFIGURATION: &str = "
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[stamps]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = office
[office]
serial = serial
signer_cert = stamps.pem
signer_key = stamps.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
";
