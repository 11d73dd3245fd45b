//! Addresses of nodes: the forms that people write, and the normal form.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use url::{Host, ParseError};

/// Why a text is not the address of a node.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(in crate::node) enum AddressError {
    #[error("nodes speak plain http, not {0}; expected http://host:port")]
    Scheme(String),
    #[error("{0:?} stands where the host belongs; expected http://host:port or host:port")]
    SchemeAsHost(String),
    #[error("it contains a user name or password; expected http://host:port")]
    User,
    #[error("it has no host; expected http://host:port or host:port")]
    NoHost,
    #[error("a host cannot contain {}; expected http://host:port or host:port", in_words(*.0))]
    Character(char),
    #[error("{found:?} is not ASCII{}", ascii_form(ascii.as_deref()))]
    NotAscii {
        found: char,
        /// The host as ASCII, if it is a name in another script.
        ascii: Option<String>,
    },
    #[error(
        "{0:?} is not a host: its parts between the dots must have 1 to 63 characters, and no \
         hyphen at their start or end"
    )]
    Name(String),
    #[error(
        "{0:?} is not a host: its end is a number, but it is not an IPv4 address of four numbers \
         from 0 to 255"
    )]
    Ipv4(String),
    #[error("{host:?} is not a host; if you mean the IPv4 address {means}, write that")]
    UnusualIpv4 { host: String, means: Ipv4Addr },
    #[error("{0:?} is not an IPv6 address in brackets; expected [::1]:5000")]
    Ipv6(String),
    #[error("an IPv6 address must be in brackets: [{0}]")]
    NoBrackets(Ipv6Addr),
    #[error("the port after the colon is missing; expected http://host:port or host:port")]
    NoPort,
    #[error("the port is {0:?}; expected a number from 1 to 65535")]
    Port(String),
}

fn in_words(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        '"' | '\'' | '`' => format!("a quote ({character})"),
        '\\' => "a backslash".to_owned(),
        other => format!("{other:?}"),
    }
}

fn ascii_form(host: Option<&str>) -> String {
    match host {
        Some(host) => format!("; write the host as {host}"),
        None => "; expected http://host:port or host:port".to_owned(),
    }
}

/// The normal form `host:port` of an address such as `http://host:port/path`
/// or `host:port`. The host becomes lower case and the default port 80 is left
/// out, so that every node has one name. `https` is accepted but, as in the
/// tutorial's node, plain HTTP is spoken.
///
/// # Errors
/// If it is not the address of a node, with the reason.
pub(in crate::node) fn normalize(address: &str) -> Result<String, AddressError> {
    let address = address.trim();
    let (rest, has_slashes) = match address.split_once("://") {
        Some((scheme, rest)) if is_http(scheme) => (rest, true),
        Some((scheme, _)) if is_scheme(scheme) => {
            return Err(AddressError::Scheme(scheme.to_owned()));
        }
        _ => match address.strip_prefix("//") {
            Some(rest) => (rest, true),
            None => (address, false),
        },
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    check_characters(authority)?;
    let (host, port) = split(authority)?;
    if host.is_empty() {
        return Err(AddressError::NoHost);
    }
    // Such as http:/host, http//host, http:5000 and http://http://host.
    let is_scheme = match port {
        _ if is_http(host) => true,
        None => !has_slashes && path.starts_with("//"),
        Some("") => path.starts_with(if has_slashes { "//" } else { "/" }),
        Some(_) => false,
    };
    if is_scheme {
        return Err(AddressError::SchemeAsHost(host.to_owned()));
    }
    let port = match port {
        None => 80,
        // Allowed in a URL. Elsewhere, something was left out.
        Some("") if has_slashes => 80,
        Some("") => return Err(AddressError::NoPort),
        Some(port) => number(port).ok_or_else(|| AddressError::Port(port.to_owned()))?,
    };
    let host = normal_host(host)?;
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

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Refuses what hosts and ports do not contain. A URL parser would ignore some
/// of it, and convert the rest.
fn check_characters(authority: &str) -> Result<(), AddressError> {
    if authority.contains('@') {
        return Err(AddressError::User);
    }
    let belongs = |found: char| found.is_ascii_alphanumeric() || ".-_:[]".contains(found);
    match authority.chars().find(|found| !belongs(*found)) {
        None => Ok(()),
        Some(found) if found.is_ascii() => Err(AddressError::Character(found)),
        Some(found) => {
            let host = authority.split(':').next().unwrap_or_default();
            let is_letter = |one: char| one.is_alphanumeric() || ".-_".contains(one);
            let is_foreign_name = !host.is_ascii() && host.chars().all(is_letter);
            let ascii = Host::parse(host).ok().filter(|_| is_foreign_name);
            let ascii = ascii.map(|host| host.to_string());
            Err(AddressError::NotAscii { found, ascii })
        }
    }
}

/// Splits host, with its brackets if it is an IPv6 address, and the text of the
/// port.
fn split(authority: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Ok(address) = authority.parse() {
        return Err(AddressError::NoBrackets(address));
    }
    if !authority.starts_with('[') {
        return Ok(match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        });
    }
    let ipv6 = || AddressError::Ipv6(authority.to_owned());
    let end = authority.find(']').ok_or_else(ipv6)? + 1;
    match authority.split_at(end) {
        (host, "") => Ok((host, None)),
        (host, port) => Ok((host, Some(port.strip_prefix(':').ok_or_else(ipv6)?))),
    }
}

fn number(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let number = port.parse().ok().filter(|number| *number != 0);
    number.filter(|_| is_number)
}

/// The host in lower case. One that the `url` crate reads as another host is
/// refused: `5001` is the address 0.0.19.137 to it.
fn normal_host(host: &str) -> Result<String, AddressError> {
    match Host::parse(host) {
        Ok(Host::Ipv6(address)) => Ok(format!("[{address}]")),
        Ok(Host::Ipv4(means)) if means.to_string() != host => Err(AddressError::UnusualIpv4 {
            host: host.to_owned(),
            means,
        }),
        Ok(Host::Ipv4(address)) => Ok(address.to_string()),
        Ok(Host::Domain(name)) if name.eq_ignore_ascii_case(host) && is_name(&name) => Ok(name),
        Ok(Host::Domain(_)) => Err(AddressError::Name(host.to_owned())),
        Err(ParseError::InvalidIpv4Address) => Err(AddressError::Ipv4(host.to_owned())),
        Err(ParseError::InvalidIpv6Address) => Err(AddressError::Ipv6(host.to_owned())),
        Err(_) => Err(AddressError::Name(host.to_owned())),
    }
}

/// Whether the lengths and hyphens are those of a name in DNS, which the `url`
/// crate does not check. Underscores are allowed, as containers have them.
fn is_name(name: &str) -> bool {
    // The dot of the root.
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
        })
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
    fn the_wrong_part_of_an_address_is_named() {
        use AddressError::{
            Character, Ipv4, Ipv6, Name, NoBrackets, NoHost, NoPort, NotAscii, Port, Scheme,
            SchemeAsHost, UnusualIpv4, User,
        };
        let text = str::to_owned;
        let unusual = |host: &str, means: [u8; 4]| UnusualIpv4 {
            host: host.to_owned(),
            means: means.into(),
        };
        let not_ascii = |found, ascii: Option<&str>| NotAscii {
            found,
            ascii: ascii.map(str::to_owned),
        };
        for (written, fault) in [
            ("", NoHost),
            ("http://", NoHost),
            ("http:///a:1", NoHost),
            ("/chain", NoHost),
            (":5000", NoHost),
            ("ftp://a:1", Scheme(text("ftp"))),
            ("localhost://a", Scheme(text("localhost"))),
            ("http:/localhost:5001", SchemeAsHost(text("http"))),
            ("https:/x", SchemeAsHost(text("https"))),
            ("http//x:1", SchemeAsHost(text("http"))),
            ("HTTP:5001", SchemeAsHost(text("HTTP"))),
            ("http:://x", SchemeAsHost(text("http"))),
            ("http://http://x:1", SchemeAsHost(text("http"))),
            ("http://ftp://x:1", SchemeAsHost(text("ftp"))),
            ("htp:/x:1", SchemeAsHost(text("htp"))),
            ("htp//x:1", SchemeAsHost(text("htp"))),
            ("me@a:1", User),
            ("http://me:secret@a:1", User),
            ("a b:1", Character(' ')),
            ("a\r\nX: y:1", Character('\r')),
            ("\"http://a:1\"", Character('"')),
            ("'a:1'", Character('\'')),
            ("http:\\\\a:1", Character('\\')),
            ("a:1,b:2", Character(',')),
            ("a%2eb:1", Character('%')),
            ("[fe80::1%25eth0]:1", Character('%')),
            (
                "http://bücher.example:1",
                not_ascii('ü', Some("xn--bcher-kva.example")),
            ),
            ("１27.0.0.1:1", not_ascii('１', Some("127.0.0.1"))),
            ("“a”:1", not_ascii('“', None)),
            ("a:1\u{200b}", not_ascii('\u{200b}', None)),
            ("-a:1", Name(text("-a"))),
            ("a-.b:1", Name(text("a-.b"))),
            ("a..b:1", Name(text("a..b"))),
            ("xn--a:1", Name(text("xn--a"))),
            ("256.256.256.256:1", Ipv4(text("256.256.256.256"))),
            ("127.0.0.1.5001", Ipv4(text("127.0.0.1.5001"))),
            ("1.2.3.4.5:1", Ipv4(text("1.2.3.4.5"))),
            ("5001", unusual("5001", [0, 0, 19, 137])),
            ("0x7f.1:1", unusual("0x7f.1", [127, 0, 0, 1])),
            ("010.0.0.1:1", unusual("010.0.0.1", [8, 0, 0, 1])),
            ("[::1", Ipv6(text("[::1"))),
            ("[::1]5000", Ipv6(text("[::1]5000"))),
            ("[nonsense]:1", Ipv6(text("[nonsense]"))),
            ("::1", NoBrackets(Ipv6Addr::LOCALHOST)),
            ("localhost:", NoPort),
            ("a:b", Port(text("b"))),
            ("a:70000", Port(text("70000"))),
            ("a:0", Port(text("0"))),
            ("a:1:2", Port(text("1:2"))),
        ] {
            assert_eq!(normalize(written), Err(fault), "{written}");
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
