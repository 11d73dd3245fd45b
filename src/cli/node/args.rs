//! The arguments of `fourzero node`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use fourzero::chain::Format;
use fourzero::node::{HostName, HostNameError, Limits, Origin};
use fourzero::pow::Rule;

use crate::cli::args::common::{Difficulty, Engine, Strict, group};
use crate::cli::args::values::{self, at_least_one, duration, whole};

/// The tutorial's port.
const PORT: u16 = 5000;

const NETWORK: &str = "Network";
const LIMITS: &str = "Limits";
const LOG: &str = "Log";

/// The upper limit of `--max-body`: a block must have room for a body.
const MOST_BODY_BYTES: usize = 16 << 20;

/// Run an HTTP node, compatible with the tutorial's, with a persistent chain
///
/// GET /mine, POST /transactions/new, GET /chain, POST /nodes/register and
/// GET /nodes/resolve answer as the tutorial's Python node does. /openapi.json
/// describes all calls.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  fourzero node
  fourzero node --rule last-hash --data ./node-a --port 5001
  fourzero node --listen 0.0.0.0 --token-file secret.txt
  fourzero node import chain.json --data ./node-a
  fourzero node export -o chain.json"
)]
pub(in crate::cli) struct NodeArgs {
    #[command(subcommand)]
    pub(super) action: Option<NodeAction>,
    #[command(flatten)]
    pub(super) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum NodeAction {
    Import(ImportArgs),
    Export(ExportArgs),
}

/// Verify a chain file and make it the node's chain
///
/// The node must not be running. Its pending transactions stay, except those
/// that the chain contains.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero node import chain.json --data ./node-a
  fourzero node import chain.jsonl --rule last-hash --force")]
pub(super) struct ImportArgs {
    /// The chain file
    #[arg(value_name = "CHAIN")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) chain: ChainArgs,
    /// Replace a chain that has more than its first block
    #[arg(long, help_heading = group::FILES)]
    pub(super) force: bool,
    /// Print one JSON object
    #[arg(long, help_heading = group::GENERAL)]
    pub(super) json: bool,
}

/// Write the node's chain to a file, even while the node runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero node export -o chain.json
  fourzero node export -o chain.jsonl --data ./node-a --force")]
pub(super) struct ExportArgs {
    /// The chain file to write, or - for standard output
    #[arg(short, long, value_name = "CHAIN", help_heading = group::FILES)]
    pub(super) output: PathBuf,
    /// The folder of the node's database [default: the platform's]
    #[arg(long, value_name = "DIR", help_heading = group::FILES)]
    pub(super) data: Option<PathBuf>,
    /// json, jsonl or array [default: jsonl if the name ends in .jsonl or
    /// .ndjson, else json]
    #[arg(long, value_parser = values::format(), help_heading = group::FILES)]
    pub(super) format: Option<Format>,
    /// Replace the chain file if it exists
    #[arg(long, help_heading = group::FILES)]
    pub(super) force: bool,
    /// Print one JSON object
    #[arg(long, help_heading = group::GENERAL)]
    pub(super) json: bool,
}

/// Options that a node and an import share.
#[derive(Debug, Args)]
pub(super) struct ChainArgs {
    /// The folder of the node's database [default: the platform's]
    #[arg(long, value_name = "DIR", help_heading = group::FILES)]
    pub(super) data: Option<PathBuf>,
    /// What a proof is hashed with: last-proof, previous-hash or last-hash
    #[arg(long, default_value_t, value_parser = values::rule(), help_heading = group::CHAIN)]
    pub(super) rule: Rule,
    #[command(flatten, next_help_heading = group::CHAIN)]
    pub(super) difficulty: Difficulty,
    #[command(flatten)]
    pub(super) engine: Engine,
    #[command(flatten)]
    pub(super) strict: Strict,
    /// Refuse transactions that send more than the sender has
    ///
    /// Includes --strict. Rewards and pending transactions count. A chain of a
    /// peer, or one to import, is refused if a sender in it had too little.
    #[arg(long, help_heading = group::CHAIN)]
    pub(super) no_overdraft: bool,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The address to listen on, with or without a port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address, help_heading = NETWORK)]
    listen: Address,
    /// The port, if the address has none [default: 5000]
    #[arg(short, long, value_parser = port, help_heading = NETWORK)]
    port: Option<u16>,
    #[command(flatten)]
    pub(super) chain: ChainArgs,
    /// Who receives the rewards [default: the id in the database, or a new one]
    #[arg(long, value_name = "ID", value_parser = values::name, help_heading = group::CHAIN)]
    pub(super) node_id: Option<String>,
    /// A secret that calls which change the node must send as Authorization:
    /// Bearer TOKEN [env: FOURZERO_TOKEN]
    // With clap's `env`, the variable would conflict with --token-file.
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file", help_heading = NETWORK)]
    pub(super) token: Option<String>,
    /// Read the token from a file, so that no process list shows it
    #[arg(long, value_name = "FILE", help_heading = NETWORK)]
    pub(super) token_file: Option<PathBuf>,
    /// A name that others use for this node, as in http://node1:5000; can be
    /// repeated. Addresses and localhost are always accepted
    #[arg(long = "host", value_name = "NAME", value_parser = host_name, help_heading = NETWORK)]
    pub(super) hosts: Vec<HostName>,
    /// An origin whose web pages may call this node, such as
    /// http://localhost:3000; can be repeated. * stands for all
    #[arg(long = "cors", value_name = "ORIGIN", help_heading = NETWORK)]
    pub(super) origins: Vec<Origin>,
    /// The largest body of a request, in bytes
    #[arg(long, value_name = "BYTES", default_value = "1048576", value_parser = body_bytes, help_heading = LIMITS)]
    max_body: usize,
    /// The largest number of pending transactions
    #[arg(long, value_name = "N", default_value = "500000", value_parser = whole::<u64>, help_heading = LIMITS)]
    max_pending: u64,
    /// The largest number of connections at the same time
    #[arg(long, value_name = "N", default_value = "1024", value_parser = at_least_one, help_heading = LIMITS)]
    max_connections: NonZeroUsize,
    /// The largest number of /mine calls that may wait
    #[arg(long, value_name = "N", default_value = "32", value_parser = whole::<usize>, help_heading = LIMITS)]
    mine_queue: usize,
    /// The longest time for a peer's answer
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = duration, help_heading = LIMITS)]
    peer_timeout: Duration,
    /// The largest chain of a peer, in bytes
    #[arg(long, value_name = "BYTES", default_value = "1073741824", value_parser = whole::<u64>, help_heading = LIMITS)]
    max_chain: u64,
    /// The format of the log on stderr
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", help_heading = LOG)]
    pub(super) log_format: LogFormat,
    /// The level of the log; debug shows every request
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "info", help_heading = LOG)]
    pub(super) log_level: LogLevel,
    /// Print one JSON object when the node is ready
    #[arg(long, help_heading = group::GENERAL)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

impl ServeArgs {
    pub(super) fn address(&self) -> SocketAddr {
        let port = self.listen.port.or(self.port).unwrap_or(PORT);
        SocketAddr::new(self.listen.ip, port)
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            body_bytes: self.max_body,
            pending: self.max_pending,
            connections: self.max_connections.get(),
            mine_queue: self.mine_queue,
            peer_time: self.peer_timeout,
            peer_bytes: self.max_chain,
            ..Limits::default()
        }
    }
}

/// An address with or without a port.
#[derive(Clone, Copy, Debug)]
struct Address {
    ip: IpAddr,
    port: Option<u16>,
}

fn address(text: &str) -> Result<Address, String> {
    if let Ok(ip) = text.parse() {
        return Ok(Address { ip, port: None });
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(format!("leave out {scheme}://; {EXPECTED}"));
    }
    if let Some((_, path)) = text.split_once('/') {
        return Err(format!("leave out /{path}; {EXPECTED}"));
    }
    let (host, port_text) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, after)) if after.starts_with(':') => (host, Some(&after[1..])),
            Some((_, after)) => return Err(format!("expected : and a port, found \"{after}\"")),
            None => return Err("the ] after the IPv6 address is missing".to_owned()),
        },
        None => match text.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err("put the IPv6 address in brackets: [::1]:5000".to_owned());
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let ip = match host {
        "" | "*" => return Err("to listen on all addresses, write 0.0.0.0 or ::".to_owned()),
        host if host.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST.into(),
        host => host.parse().map_err(|_| match port(host) {
            Ok(port) if port_text.is_none() => format!("for a port alone, use --port {port}"),
            _ => format!("the address is \"{host}\"; {EXPECTED}"),
        })?,
    };
    let port =
        port_text.map(|text| port(text).map_err(|error| format!("the port is wrong: {error}")));
    let port = port.transpose()?;
    Ok(Address { ip, port })
}

const EXPECTED: &str = "expected an IP address or localhost, perhaps with a port: 127.0.0.1:5000";

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(format!(
            "expected a number from 0 to 65535, found \"{text}\""
        )),
    }
}

/// Flask's `--host` is the address to listen on.
fn host_name(text: &str) -> Result<HostName, String> {
    text.parse().map_err(|error| match error {
        HostNameError::Address => {
            format!("addresses need no --host; to listen on one, use --listen {text}")
        }
        HostNameError::NotAName => error.to_string(),
    })
}

fn body_bytes(text: &str) -> Result<usize, String> {
    let bytes = whole::<usize>(text)?;
    if (1..=MOST_BODY_BYTES).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("it must be between 1 and {MOST_BODY_BYTES}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port() {
        for (text, shown) in [
            ("127.0.0.1", "127.0.0.1:1"),
            ("0.0.0.0:5001", "0.0.0.0:5001"),
            ("localhost", "127.0.0.1:1"),
            ("localhost:7", "127.0.0.1:7"),
            ("::1", "[::1]:1"),
            ("[::1]", "[::1]:1"),
            ("[::]:9", "[::]:9"),
        ] {
            let address = address(text).unwrap();
            let shown_address = SocketAddr::new(address.ip, address.port.unwrap_or(1));
            assert_eq!(shown_address.to_string(), shown);
        }
        for wrong in [
            "example.org",
            "5000",
            "",
            ":5000",
            "*:5000",
            "127.0.0.1:x",
            "127.0.0.1:+5",
            "127.0.0.1:",
            "127.0.0.1:65536",
            "127.0.0.256:1",
            "127.0.0.1]",
            "localhostx:1",
            "http://127.0.0.1:5000",
            "127.0.0.1:5000/",
            "[::1",
            "[::1]5000",
            "::1:99999",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
