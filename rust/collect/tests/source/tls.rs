use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bigsec_collect::source::Running;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::rig::{Rig, connect, syslog_tcp, until};

/// Certificates made for one test run by `openssl`.
struct Authority {
    folder: TempDir,
}

impl Authority {
    /// An authority, a server, and clients: good, expired, and of a foreign authority. `None` says
    /// that there is no `openssl` here.
    fn new() -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            println!("skipped: this test makes its certificates with `openssl`, which is not here");
            return None;
        }
        let authority = Self { folder: TempDir::new().unwrap() };
        authority.root("ca");
        authority.root("foreign");
        authority.issue("ca", "server", "20200101000000Z", "20990101000000Z");
        authority.issue("ca", "client", "20200101000000Z", "20990101000000Z");
        authority.issue("ca", "expired", "20200101000000Z", "20210101000000Z");
        authority.issue("foreign", "stranger", "20200101000000Z", "20990101000000Z");
        Some(authority)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, line: &str) {
        let output = Command::new("openssl")
            .args(line.split(' '))
            .current_dir(&self.folder)
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn root(&self, name: &str) {
        self.openssl(&format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem -days 3650 -subj /CN={name}"
        ));
        std::fs::write(self.path(&format!("{name}.index")), "").unwrap();
        std::fs::write(
            self.path(&format!("{name}.cnf")),
            format!(
                "[ca]\ndefault_ca=x\n[x]\nnew_certs_dir=.\ndatabase={name}.index\nrand_serial=yes\n\
                 default_md=sha256\npolicy=p\nx509_extensions=e\nunique_subject=no\n\
                 [p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:localhost\n\
                 basicConstraints=CA:FALSE\n"
            ),
        )
        .unwrap();
    }

    fn issue(&self, root: &str, name: &str, from: &str, until: &str) {
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.openssl(&format!(
            "ca -batch -config {root}.cnf -cert {root}.pem -keyfile {root}.key -in {name}.csr -out {name}.pem -notext -startdate {from} -enddate {until}"
        ));
    }

    fn start(&self, rig: &Rig, client_ca: bool, required: bool) -> Running {
        let mut settings = syslog_tcp();
        settings["limits"]["header_timeout_s"] = 1.into();
        settings["tls"] = serde_json::json!({
            "certificate_file": self.path("server.pem"), "key_file": self.path("server.key"),
            "client_ca_file": client_ca.then(|| self.path("ca.pem")),
            "client_certificate_required": required,
        });
        rig.start(settings)
    }

    fn client(&self, certificate: Option<&str>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&read(&self.path("ca.pem"))).unwrap()).unwrap();
        let builder = ClientConfig::builder().with_root_certificates(roots);
        match certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = read(&self.path(&format!("{name}.pem")));
                let key = read(&self.path(&format!("{name}.key")));
                let chain = vec![CertificateDer::from_pem_slice(&chain).unwrap()];
                builder
                    .with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(&key).unwrap())
                    .unwrap()
            }
        }
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn dial(config: ClientConfig, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

/// Sends a line, closes, and says whether the other side agreed to all of it.
fn send(config: ClientConfig, stream: TcpStream, line: &str) -> bool {
    let mut tls = dial(config, stream);
    if tls.write_all(line.as_bytes()).and_then(|()| tls.flush()).is_err() {
        return false;
    }
    tls.conn.send_close_notify();
    let _ = tls.flush();
    matches!(tls.read(&mut [0; 16]), Ok(0))
}

#[test]
fn p12_client_certificates_are_asked_for_and_looked_at() {
    let Some(authority) = Authority::new() else { return };
    let rig = Rig::new();
    let running = authority.start(&rig, true, true);
    let ways = [
        (Some("client"), true),
        (None, false),
        (Some("expired"), false),
        (Some("stranger"), false),
    ];
    for (certificate, agreed) in ways {
        let line = format!("<13>{certificate:?}\n");
        let config = authority.client(certificate);
        assert_eq!(send(config, connect(&running), &line), agreed, "{certificate:?}");
    }
    assert_eq!(rig.wait_for(1)[0].text, "<13>Some(\"client\")");
    until("three refusals", || rig.reading().refused_handshake == 3);
    rig.stop(running);
    let running = authority.start(&rig, true, false);
    assert!(send(authority.client(None), connect(&running), "<13>none\n"));
    assert!(!send(authority.client(Some("stranger")), connect(&running), "<13>stranger\n"));
    rig.wait_for(2);
    rig.stop(running);
    let running = authority.start(&rig, false, false);
    assert!(send(authority.client(None), connect(&running), "<13>not asked\n"));
    rig.wait_for(3);
    rig.stop(running);
}

#[test]
fn p12_a_handshake_broken_off_at_each_byte_costs_nothing() {
    let Some(authority) = Authority::new() else { return };
    let rig = Rig::new();
    let running = authority.start(&rig, true, true);
    // What a client sends first; it is cut at every 16th byte, and its end comes as the orderly
    // `close_notify` of TLS in plain text.
    let mut hello = Vec::new();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(authority.client(None)), name).unwrap();
    client.write_tls(&mut hello).unwrap();
    let close_notify = [21, 3, 3, 0, 2, 1, 0];
    let mut held = Vec::new();
    for cut in (0..=hello.len()).step_by(16) {
        let mut stream = connect(&running);
        stream.write_all(&hello[..cut]).unwrap();
        drop(stream);
        let mut stream = connect(&running);
        stream.write_all(&[&hello[..cut], &close_notify].concat()).unwrap();
        held.push(stream);
    }
    let mut half_open = connect(&running);
    half_open.write_all(&hello).unwrap();
    until("all to be given up", || rig.reading().connections == 0);
    // Nothing spins while the peers stand there.
    let used = rig.cpu();
    std::thread::sleep(Duration::from_millis(500));
    assert!(rig.cpu() <= used + Duration::from_millis(30));
    assert!(send(authority.client(Some("client")), connect(&running), "<13>honest\n"));
    assert_eq!(rig.wait_for(1)[0].text, "<13>honest");
    rig.stop(running);
}

#[test]
fn p12_a_tls_connection_that_ends_without_goodbye_keeps_what_came() {
    let Some(authority) = Authority::new() else { return };
    let rig = Rig::new();
    let running = authority.start(&rig, false, false);
    let mut tls = dial(authority.client(None), connect(&running));
    tls.write_all(b"<13>whole\n<13>half").unwrap();
    tls.flush().unwrap();
    drop(tls);
    let kept = rig.wait_for(2);
    assert!(kept[1].flags.has(bigsec_evidence::Flags::CUT));
    rig.stop(running);
}

#[test]
fn certificates_that_cannot_be_used_are_told_by_file() {
    let Some(authority) = Authority::new() else { return };
    let rig = Rig::new();
    for (file, what) in [("server.csr", "no certificate"), ("absent.pem", "No such file")] {
        let mut settings = syslog_tcp();
        settings["tls"] = serde_json::json!({
            "certificate_file": authority.path(file), "key_file": authority.path("server.key"),
            "client_ca_file": null, "client_certificate_required": false,
        });
        let settings = serde_json::from_value(settings).unwrap();
        let error = bigsec_collect::source::start(&settings, rig.context(HashMap::new()));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(file) && error.contains(what), "{error}");
    }
}
