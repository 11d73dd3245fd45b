//! Brings the path of a request into the form that the routes have.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Removes repeated slashes at the start of the path, and escapes that are not
/// needed. Flask, too, takes `/%63hain` and `//chain`, which clients make from
/// `http://host/` and `/chain`.
pub(super) async fn normalize(mut request: Request) -> Request {
    if let Some(uri) = normalized(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// `None` if the path needs no change, or cannot be changed.
fn normalized(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !path.starts_with("//") && !path.contains('%') {
        return None;
    }
    let path = path.trim_start_matches('/');
    let mut text = format!("/{}", unescaped(path).as_deref().unwrap_or(path));
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// Decodes the characters that mean the same with and without an escape (RFC
/// 3986, section 6.2.2.2). The handlers decode the others. `None` if two hex
/// digits are missing after a `%`: decoding the text behind it could add them.
fn unescaped(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (digits, after) = part.split_at_checked(2)?;
        let mut byte = [0];
        hex::decode_to_slice(digits, &mut byte).ok()?;
        match byte {
            [byte] if is_unreserved(byte) => text.push(byte.into()),
            _ => text.extend(["%", digits]),
        }
        text.push_str(after);
    }
    Some(text)
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
