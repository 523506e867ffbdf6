//! Who sent a request, as far as the network tells.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::HeaderMap;
use ipnet::IpNet;

/// Who sent a request; every request served by this module carries it as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// The client's address: the socket's, or the one a trusted proxy reported. IPv4 addresses are
    /// never in their IPv6-mapped form.
    pub address: IpAddr,
    /// Whether TLS ended here. Behind a balancer it ended there.
    pub over_tls: bool,
}

/// The host name that a device connected to, as its TLS handshake says (RFC 6066 §3); a request that
/// came with one carries it as an extension.
///
/// Through a balancer that ends TLS there is none, nor on a connection from a trusted proxy: that one
/// names the server as it likes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerName(Arc<str>);

impl ServerName {
    /// A name as the handshake has it.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The proxies whose word about a client's address is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Trusts the proxies in these networks; an empty list trusts none.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the party at `address` is a trusted proxy.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address for a request that came from `socket`.
    ///
    /// `X-Forwarded-For` is read from right to left, since each proxy appends the address it saw:
    /// trusted proxies are skipped, and the first address that is none is the client's. What stands
    /// left of it is the client's own claim and ignored, as is the whole header if `socket` is not a
    /// trusted proxy. An entry that is not an address ends the search at the proxy that wrote it.
    pub fn client(&self, socket: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = socket.to_canonical();
        let mut entries = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .rev()
            .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        while self.trusts(client) {
            match entries.next().and_then(parse_entry) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

/// Removes what proxies say about the client, so that nothing behind this module can believe it.
pub(super) fn strip_forwarded(headers: &mut HeaderMap) {
    for name in FORWARDED {
        headers.remove(name);
    }
}

/// An address, bare, in brackets or with a port; proxies write all of them.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let entry = core::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
    let bare = entry
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = match entry.parse::<SocketAddr>() {
        Ok(with_port) => with_port.ip(),
        Err(_) => bare.unwrap_or(entry).parse().ok()?,
    };
    Some(address.to_canonical())
}

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED: [&str; 7] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn client(socket: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies::new(vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8:1::/48".parse().unwrap(),
        ]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, http::HeaderValue::from_str(line).unwrap());
        }
        proxies
            .client(socket.parse().unwrap(), &headers)
            .to_string()
    }

    #[test]
    fn listen_reads_forwarded_for_from_the_right() {
        for (socket, lines, expected) in [
            // No word from anybody.
            ("203.0.113.7", &[][..], "203.0.113.7"),
            ("10.0.0.1", &[], "10.0.0.1"),
            // A stranger's word is not taken.
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("203.0.113.7", &["10.0.0.9"], "203.0.113.7"),
            // A trusted proxy's is, but not what the client put in front of it.
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.9, 198.51.100.1"], "198.51.100.1"),
            // Two proxies, in one line and in two.
            ("10.0.0.1", &["198.51.100.1, 10.9.9.9"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1", "10.9.9.9"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["1.2.3.4", "198.51.100.1,10.9.9.9"],
                "198.51.100.1",
            ),
            // Only proxies: the one farthest away.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            // Garbled: the proxy that said so.
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1,"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, _hidden, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["198.51.100.1 10.0.0.2"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.01"], "10.0.0.1"),
            // Ports, brackets and mapped addresses.
            ("10.0.0.1", &["198.51.100.1:1234"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::5]:443"], "2001:db8::5"),
            ("10.0.0.1", &["[2001:db8::5]"], "2001:db8::5"),
            ("2001:db8:1::1", &["2001:db8::5"], "2001:db8::5"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("::ffff:203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
        ] {
            assert_eq!(client(socket, lines), expected, "{socket} {lines:?}");
        }
    }

    #[test]
    fn listen_without_trusted_proxies_believes_nobody() {
        let mut headers = HeaderMap::new();
        headers.append(
            FORWARDED_FOR,
            http::HeaderValue::from_static("198.51.100.1"),
        );
        let socket = "127.0.0.1".parse().unwrap();
        assert_eq!(TrustedProxies::default().client(socket, &headers), socket);
    }
}
