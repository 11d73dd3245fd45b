//! Which callers may change the node: the names it has, and the origins whose
//! web pages it trusts.

use std::str::FromStr;

use axum::http::HeaderValue;
use thiserror::Error;
use url::{Host, Url};

/// A name of the node, besides its addresses and `localhost`: `node1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostName(String);

/// Why a text is not a [`HostName`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum HostNameError {
    /// It is an address.
    #[error("addresses are always accepted; expected a name such as node1")]
    Address,
    /// It is something else.
    #[error("expected a name without scheme and port, such as node1 or node.example.org")]
    NotAName,
}

impl HostName {
    /// Whether this is the name, in the form that [`Host::parse`] returns.
    pub(super) fn is(&self, name: &str) -> bool {
        self.0 == name
    }
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        match Host::parse(text) {
            Ok(Host::Domain(name)) if name.bytes().all(is_plain) => Ok(Self(name)),
            Ok(Host::Domain(_)) | Err(_) => Err(HostNameError::NotAName),
            Ok(Host::Ipv4(_) | Host::Ipv6(_)) => Err(HostNameError::Address),
        }
    }
}

/// An origin as browsers send it, such as `http://localhost:3000`; `*` stands
/// for all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(HeaderValue);

/// Why a text is not an [`Origin`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OriginError {
    /// It is `null`.
    #[error("every file and every sandboxed page has the origin null; serve the page over HTTP")]
    Null,
    /// It is something else.
    #[error("expected a scheme, a host and perhaps a port, such as http://localhost:3000")]
    NotAnOrigin,
}

impl Origin {
    pub(super) fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// The value of the header.
    pub(super) const fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        match text {
            "*" => return Ok(Self(HeaderValue::from_static("*"))),
            "null" => return Err(OriginError::Null),
            _ => {}
        }
        serialized(text)
            .and_then(|origin| HeaderValue::try_from(origin).ok())
            .map(Self)
            .ok_or(OriginError::NotAnOrigin)
    }
}

/// The origin in the form that browsers send; `None` if `text` is not an
/// origin.
fn serialized(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    // A pattern such as http://*.example.org is not an origin.
    let is_host = |host: &&str| !host.is_empty() && !host.contains('*');
    let host = url.host_str().filter(is_host)?;
    // Without the scheme's default port.
    let port = url.port().map(|port| format!(":{port}"));
    let origin = format!("{}://{host}{}", url.scheme(), port.unwrap_or_default());
    // Nothing but a slash may follow, and no user name may come before the host.
    let rest = url.as_str().strip_prefix(&origin)?;
    matches!(rest, "" | "/").then_some(origin)
}

/// A call that would change the node and may come from a foreign web page.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ForeignCall {
    /// A page of this origin sent it.
    #[error("a web page of {0:?} sent this call, and this node does not trust that origin")]
    Origin(String),
    /// A page sent it, and the browser does not say which.
    #[error("a web page of another site sent this call")]
    Site,
    /// It is for this host. A page whose own name was made to point to this
    /// node can send it.
    #[error("the call is for the host {0:?}, which is not a name of this node")]
    Host(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_in_the_forms_that_people_write() {
        for (text, origin) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("HTTP://LocalHost:3000/", "http://localhost:3000"),
            ("http://a:80", "http://a"),
            ("https://a:443/", "https://a"),
            ("https://a:80", "https://a:80"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://bücher.example", "http://xn--bcher-kva.example"),
            ("chrome-extension://abc", "chrome-extension://abc"),
            ("*", "*"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().0, origin, "{text}");
        }
        assert_eq!("null".parse::<Origin>(), Err(OriginError::Null));
        for text in [
            "",
            "a",
            "localhost:3000",
            "//a",
            "http://",
            "http://a/b",
            "http://a/?b",
            "http://a#b",
            "http://me@a",
            "http://*",
            "http://a b",
            "http://a:x",
            "file:///a",
            "data:,a",
            "http://a, http://b",
        ] {
            let error = text.parse::<Origin>();
            assert_eq!(error, Err(OriginError::NotAnOrigin), "{text}");
        }
    }

    #[test]
    fn a_name_of_a_host_has_no_port() {
        for (text, name) in [
            ("node1", "node1"),
            ("Node_1.Example.ORG", "node_1.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert!(text.parse::<HostName>().unwrap().is(name), "{text}");
        }
        for text in ["127.0.0.1", "0x7f.1", "[::1]"] {
            assert_eq!(text.parse::<HostName>(), Err(HostNameError::Address));
        }
        for text in [
            "",
            "*",
            "*.a",
            "node1:5000",
            "http://node1",
            "a b",
            "::1",
            "a;b",
        ] {
            let error = text.parse::<HostName>();
            assert_eq!(error, Err(HostNameError::NotAName), "{text}");
        }
    }
}
