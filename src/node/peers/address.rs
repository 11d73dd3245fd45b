//! Addresses of nodes: the forms that people write, and the normal form.

use std::net::Ipv6Addr;

/// The normal form `host:port` of an address such as `http://host:port/path`
/// or `host:port`. The host becomes lower case and the default port 80 is left
/// out, so that every node has one name. `https` is accepted but, as in the
/// tutorial's node, plain HTTP is spoken.
///
/// # Errors
/// If it is not the address of a node, with the reason.
pub(in crate::node) fn normalize(address: &str) -> Result<String, String> {
    let address = address.trim();
    let rest = match address.split_once("://") {
        Some((scheme, rest)) if is_http(scheme) => rest,
        Some((scheme, _)) => {
            return Err(format!(
                "{address:?} uses {scheme:?}, but nodes speak plain http"
            ));
        }
        None => address.strip_prefix("//").unwrap_or(address),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(format!(
            "{address:?} contains a user name; expected host:port"
        ));
    }
    let (host, port) = split(authority)
        .ok_or_else(|| format!("{address:?} is not a node's address; expected host:port"))?;
    let port = match port {
        None | Some("") => 80,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port
            .parse::<u16>()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| format!("{address:?} has the port {port}; expected 1 to 65535"))?,
        Some(port) => {
            return Err(format!(
                "{address:?} has the port {port:?}; expected a number"
            ));
        }
    };
    let host = host.to_ascii_lowercase();
    Ok(match port {
        80 => host,
        port => format!("{host}:{port}"),
    })
}

fn is_http(scheme: &str) -> bool {
    ["http", "https"]
        .iter()
        .any(|http| scheme.eq_ignore_ascii_case(http))
}

/// Splits host, in brackets if it is an IPv6 address, and the text of the port.
fn split(authority: &str) -> Option<(String, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let host: Ipv6Addr = host.parse().ok()?;
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':')?),
        };
        return Some((format!("[{host}]"), port));
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_host = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    is_host.then(|| (host.to_owned(), port))
}

/// Host and port to connect to, from an address in normal form.
pub(super) fn host_and_port(node: &str) -> (&str, u16) {
    match node.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            (host, port.parse().unwrap_or(80))
        }
        _ => (node.trim_start_matches('[').trim_end_matches(']'), 80),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_an_address_have_one_normal_form() {
        for written in [
            "http://192.168.0.5:5000",
            "192.168.0.5:5000",
            "HTTP://192.168.0.5:5000/",
            "http://192.168.0.5:5000/chain?x=1#y",
            "192.168.0.5:5000/chain",
            "//192.168.0.5:05000",
            " 192.168.0.5:5000 ",
        ] {
            assert_eq!(normalize(written).as_deref(), Ok("192.168.0.5:5000"));
        }
        for (written, name) in [
            ("http://Example.ORG", "example.org"),
            ("https://example.org", "example.org"),
            ("HTTPS://a:443/chain", "a:443"),
            ("example.org:80", "example.org"),
            ("http://[::1]:5000/", "[::1]:5000"),
            ("[0:0::1]", "[::1]"),
        ] {
            assert_eq!(normalize(written).as_deref(), Ok(name));
        }
    }

    #[test]
    fn other_addresses_are_refused_with_the_reason() {
        for (written, reason) in [
            ("", "host:port"),
            ("http://", "host:port"),
            ("/chain", "host:port"),
            ("ftp://a:1", "plain http"),
            ("a:b", "number"),
            ("a:70000", "65535"),
            ("a:0", "65535"),
            ("a:1:2", "number"),
            ("me@a:1", "user name"),
            ("a b:1", "host:port"),
            ("a\r\nX: y:1", "host:port"),
            ("[::1", "host:port"),
            ("[nonsense]:1", "host:port"),
        ] {
            let error = normalize(written).unwrap_err();
            assert!(error.contains(reason), "{written}: {error}");
        }
    }

    #[test]
    fn an_address_splits_into_host_and_port() {
        assert_eq!(host_and_port("a:5000"), ("a", 5000));
        assert_eq!(host_and_port("a"), ("a", 80));
        assert_eq!(host_and_port("[::1]:5000"), ("::1", 5000));
        assert_eq!(host_and_port("[::1]"), ("::1", 80));
    }
}
