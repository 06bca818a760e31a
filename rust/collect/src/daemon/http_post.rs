//! Posts a small body and reads the status of the answer: all that the second keeper needs.
//!
//! No redirects, no cookies, one connection a post; the whole has a deadline.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use bigsec_evidence::clock::Clock;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Bytes of an answer's head that are read before it is given up.
const HEAD_LIMIT: usize = 16 * 1024;

/// How long a post may take in all.
const DEADLINE: Duration = Duration::from_secs(20);

/// An address that takes posts.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    host: String,
    port: u16,
    path: String,
    tls: Option<Arc<ClientConfig>>,
    token: Option<String>,
}

/// Where an address points.
struct Address<'a> {
    secure: bool,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl Endpoint {
    /// The endpoint of an address. `certificates` is a PEM text of those that may vouch for it.
    pub fn new(
        url: &str,
        certificates: Option<&[u8]>,
        token: Option<String>,
    ) -> Result<Self, String> {
        let address = Address::parse(url)?;
        let tls = match (address.secure, certificates) {
            (false, _) => None,
            (true, None) => {
                return Err("an https address needs keeper_ca_file, the file with the \
                            certificates that vouch for it"
                    .to_owned());
            }
            (true, Some(pem)) => Some(Arc::new(trusting(pem)?)),
        };
        if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err("the token has characters that no header may have".to_owned());
        }
        Ok(Self {
            host: address.host.to_owned(),
            port: address.port,
            path: address.path.to_owned(),
            tls,
            token,
        })
    }

    /// Posts `body`; an answer that is not 2xx is an error.
    pub fn post(&self, kind: &str, body: &[u8], clock: &dyn Clock) -> io::Result<()> {
        let deadline = Deadline { clock, at: clock.elapsed() + DEADLINE };
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let address = (bare, self.port)
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the host has no address"))?;
        let stream = TcpStream::connect_timeout(&address, deadline.remaining()?)?;
        let stream = Timed { stream, deadline };
        let request = self.request(kind, body);
        let Some(tls) = &self.tls else {
            return exchange(stream, &request);
        };
        let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
        let client = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
        exchange(StreamOwned::new(client, stream), &request)
    }

    fn request(&self, kind: &str, body: &[u8]) -> Vec<u8> {
        let mut head = format!(
            "POST {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             User-Agent: bigsec/{}\r\nConnection: close\r\n",
            self.path,
            self.host,
            self.port,
            body.len(),
            env!("CARGO_PKG_VERSION"),
        );
        if let Some(token) = &self.token {
            head.push_str("Authorization: Bearer ");
            head.push_str(token);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Result<Self, String> {
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(format!("{url:?} begins neither https:// nor http://")),
        };
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        if authority.contains('@') || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("{url:?} is no address of a keeper: host, port and path alone"));
        }
        // The colons within the brackets of an IPv6 address begin no port.
        let colon = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match colon {
            Some(at) => (&authority[..at], authority[at + 1..].parse().ok()),
            None => (authority, Some(if secure { 443 } else { 80 })),
        };
        match port {
            Some(port) if !host.is_empty() => {
                Ok(Self { secure, host, port, path: if path.is_empty() { "/" } else { path } })
            }
            _ => Err(format!("{url:?} names no host, or a port that is none")),
        }
    }
}

/// A TLS client that believes the certificates of a PEM text and no others.
fn trusting(pem: &[u8]) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("keeper_ca_file: {error}"))?;
        roots.add(certificate).map_err(|error| format!("keeper_ca_file: {error}"))?;
    }
    if roots.is_empty() {
        return Err("keeper_ca_file holds no certificate".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Sends a request and reads the status line.
fn exchange(mut stream: impl Read + Write, request: &[u8]) -> io::Result<()> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.contains(&b'\n') && head.len() < HEAD_LIMIT {
        match stream.read(&mut buffer)? {
            0 => break,
            read => head.extend_from_slice(&buffer[..read]),
        }
    }
    let line = head.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    match status_of(line) {
        Some(200..300) => Ok(()),
        Some(status) => Err(io::Error::other(format!("it answered with status {status}"))),
        None => Err(io::Error::other("it did not answer in HTTP/1")),
    }
}

/// The status of `HTTP/1.1 204 No Content`.
fn status_of(line: &[u8]) -> Option<u16> {
    let rest = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    rest.split(' ').nth(1)?.parse().ok()
}

/// When a post is given up.
#[derive(Clone, Copy)]
struct Deadline<'a> {
    clock: &'a dyn Clock,
    at: Duration,
}

impl Deadline<'_> {
    fn remaining(self) -> io::Result<Duration> {
        let left = self.at.saturating_sub(self.clock.elapsed());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

/// A connection every step of which ends before the deadline.
struct Timed<'a> {
    stream: TcpStream,
    deadline: Deadline<'a>,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.deadline.remaining()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.deadline.remaining()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let of = |url| Address::parse(url).map(|one| (one.secure, one.host, one.port, one.path));
        assert_eq!(of("https://keeper.example/in"), Ok((true, "keeper.example", 443, "/in")));
        assert_eq!(of("http://192.0.2.1:8080"), Ok((false, "192.0.2.1", 8080, "/")));
        assert_eq!(of("http://[2001:db8::1]:81/x"), Ok((false, "[2001:db8::1]", 81, "/x")));
        assert_eq!(of("http://[2001:db8::1]/x"), Ok((false, "[2001:db8::1]", 80, "/x")));
        for bad in ["ftp://a", "http://", "http://a:b/", "http://u@a/", "http://a/\r\nX: y"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_2xx_counts_as_taken() {
        assert_eq!(status_of(b"HTTP/1.1 204 No Content"), Some(204));
        assert_eq!(status_of(b"HTTP/1.0 500"), Some(500));
        for bad in [&b""[..], b"SSH-2.0-x", b"HTTP/1.1", b"HTTP/1.1 x", b"\xff"] {
            assert_eq!(status_of(bad), None);
        }
    }
}
