//! TLS of sources that listen: who we are, and whose certificates we ask for.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::storage::Storage;

use super::context::StartError;

/// Largest file of certificates that is read.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// TLS of a source that listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// Certificate and its chain, PEM.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
    /// Authorities of client certificates, PEM; `None` asks clients for none.
    pub client_ca_file: Option<PathBuf>,
    /// Whether a client without a certificate is turned away. One with a wrong certificate always
    /// is.
    pub client_certificate_required: bool,
}

/// Takes TLS connections.
#[derive(Clone)]
pub(crate) struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Reads the certificates.
    pub fn new(settings: &TlsSettings, storage: &dyn Storage) -> Result<Self, StartError> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another part of the process may have chosen the same one before.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        });
        let chain = certificates(storage, &settings.certificate_file)?;
        let key = private_key(storage, &settings.key_file)?;
        let builder = match &settings.client_ca_file {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(storage, path)? {
                    roots.add(certificate).map_err(|error| broken(path, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
                let verifier = if settings.client_certificate_required {
                    verifier
                } else {
                    verifier.allow_unauthenticated()
                };
                let verifier = verifier.build().map_err(|error| broken(path, &error))?;
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let config = builder
            .with_single_cert(chain, key)
            .map_err(|error| broken(&settings.certificate_file, &error))?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Shakes hands.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

fn certificates(
    storage: &dyn Storage,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let pem = read(storage, path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| broken(path, &error))?;
    if found.is_empty() {
        return Err(broken(path, &"it holds no certificate in PEM form"));
    }
    Ok(found)
}

fn private_key(storage: &dyn Storage, path: &Path) -> Result<PrivateKeyDer<'static>, StartError> {
    let pem = read(storage, path)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| broken(path, &format!("it holds no private key in PEM form: {error}")))
}

fn read(storage: &dyn Storage, path: &Path) -> Result<Vec<u8>, StartError> {
    read_small(storage, path, FILE_MAX)
}

/// Reads a file that the configuration names.
pub(crate) fn read_small(
    storage: &dyn Storage,
    path: &Path,
    max: u64,
) -> Result<Vec<u8>, StartError> {
    let mut bytes = Vec::new();
    storage
        .open(path)
        .and_then(|file| file.take(max + 1).read_to_end(&mut bytes))
        .map_err(|error| broken(path, &error))?;
    if bytes.len() as u64 > max {
        return Err(broken(path, &format!("it is longer than {max} bytes")));
    }
    Ok(bytes)
}

fn broken(path: &Path, what: &dyn std::fmt::Display) -> StartError {
    StartError::File { path: path.to_owned(), what: what.to_string() }
}
