//! `fourzero node`, `node import` and `node export`.

mod args;
mod log;
mod token;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use fourzero::batch::Overwrite;
use fourzero::chain::{FaultKind, Format};
use fourzero::node::{
    DatabaseProblem, ForeignCall, HostName, IfOccupied, Node, NodeConfig, NodeError, Origin,
    Overdraft, Refusal, default_data_folder,
};
use fourzero::pow::{Control, Rule};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

pub(super) use self::args::NodeArgs;
use self::args::{ChainArgs, ExportArgs, ImportArgs, LogLevel, NodeAction, ServeArgs};
use self::token::token;
use super::exit::Exit;
use super::interrupt::{self, WhenStuck};
use super::{explain, hints, print};

/// How long tasks may take that are still running after the shutdown.
const LAST_TASKS: Duration = Duration::from_secs(1);

/// The output of `--json` once the node listens.
#[derive(Serialize)]
struct Listening<'a> {
    address: String,
    node_id: &'a str,
    blocks: u64,
    pending: u64,
    rule: Rule,
    data: String,
}

/// The output of `--json` for an import or export.
#[derive(Serialize)]
struct Exchanged<'a> {
    file: &'a Path,
    data: &'a Path,
    blocks: u64,
}

pub(super) fn run(args: NodeArgs) -> anyhow::Result<Exit> {
    match args.action {
        Some(NodeAction::Import(import)) => run_import(&import),
        Some(NodeAction::Export(export)) => run_export(&export),
        None => run_node(&args.serve),
    }
}

fn run_node(args: &ServeArgs) -> anyhow::Result<Exit> {
    explain::engine(&args.chain.engine);
    explain::proofs(Some(args.chain.rule), args.chain.difficulty.target);
    let level = match print::is_quiet() {
        true => LogLevel::Error,
        false => args.log_level,
    };
    let _log = log::start(args.log_format, level);
    let token = token(args)?;
    let address = args.address();
    if !address.ip().is_loopback() && token.is_none() {
        tracing::warn!(
            %address,
            "anyone who can reach this address can mine and add transactions and nodes; \
             set --token to require a secret"
        );
    }
    let config = NodeConfig {
        node_id: args.node_id.clone(),
        token,
        hosts: args.hosts.clone(),
        origins: args.origins.clone(),
        limits: args.limits(),
        advice,
        dropped_log_lines: log::dropped,
        ..config(&args.chain)?
    };
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the server's threads")?;
    let listener = runtime
        .block_on(TcpListener::bind(address))
        .with_context(|| format!("cannot listen on {address}"))?;
    let data = config.data.clone();
    let node = Node::open(config).map_err(with_advice)?;
    announce(args, &node, &data, listener.local_addr()?).context(print::FAILED)?;
    let exit = runtime.block_on(serve(node.clone(), listener));
    finish(runtime, node);
    tracing::info!("stopped");
    exit
}

/// The runtime's tasks hold clones of the node, so they must end first.
fn finish(runtime: Runtime, node: Node) {
    runtime.shutdown_timeout(LAST_TASKS);
    node.finish();
}

async fn serve(node: Node, listener: TcpListener) -> anyhow::Result<Exit> {
    let watching = "cannot watch for signals";
    let mut interrupts = signal(SignalKind::interrupt()).context(watching)?;
    let mut terminations = signal(SignalKind::terminate()).context(watching)?;
    let mut exit = Ok(Exit::Yes);
    let broken = node.clone();
    let shutdown = async {
        tokio::select! {
            _ = interrupts.recv() => exit = Ok(Exit::Interrupted),
            _ = terminations.recv() => {}
            // A process manager can start it again.
            () = broken.broken() => exit = Err(anyhow!("the writer thread has ended")),
        }
        tracing::info!("shutting down");
    };
    fourzero::node::serve(node, listener, shutdown).await;
    exit
}

fn announce(args: &ServeArgs, node: &Node, data: &Path, address: SocketAddr) -> io::Result<()> {
    if args.json {
        return print::json(&Listening {
            address: format!("http://{address}"),
            node_id: node.id(),
            blocks: node.blocks(),
            pending: node.pending(),
            rule: args.chain.rule,
            data: data.display().to_string(),
        });
    }
    print::line(&format!(
        "http://{address} is node {}: {}, {}, rule {}, kept in {}",
        node.id(),
        print::count(node.blocks(), "block"),
        print::count(node.pending(), "pending transaction"),
        args.chain.rule,
        data.display()
    ))
}

fn config(args: &ChainArgs) -> anyhow::Result<NodeConfig> {
    Ok(NodeConfig {
        rule: args.rule,
        target: args.difficulty.target,
        strictness: args.strict.strictness(),
        overdraft: if args.no_overdraft {
            Overdraft::Refused
        } else {
            Overdraft::Allowed
        },
        threads: args.engine.threads(),
        kernel: args.engine.kernel(),
        ..NodeConfig::new(data_folder(args.data.as_deref())?)
    })
}

fn data_folder(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    given
        .map(Path::to_owned)
        .or_else(default_data_folder)
        .ok_or_else(|| anyhow!("this user has no home folder; choose one with --data"))
}

/// The option that allows what was refused. Names only what is safe to copy.
fn advice(refusal: Refusal<'_>) -> String {
    let call = match refusal {
        Refusal::ForeignCall(call) => call,
        Refusal::OtherRule(rule) => {
            return format!(
                "; to take it, start a node with --rule {rule} and a new folder for --data"
            );
        }
        _ => return String::new(),
    };
    match call {
        ForeignCall::Host(host) => {
            let name = host.split(':').next().unwrap_or_default();
            let name = name.parse::<HostName>().map_or("NAME", |_| name);
            format!("; start the node with --host {name} if it is")
        }
        ForeignCall::Origin(origin) if origin.parse::<Origin>().is_ok() => {
            let origin = print::shell_word(origin);
            format!("; start the node with --cors {origin} if it should")
        }
        ForeignCall::Origin(_) | ForeignCall::Site => {
            "; serve the page over HTTP, name its origin with --cors, and call with fetch()"
                .to_owned()
        }
    }
}

/// Adds the option that helps, where there is one.
fn with_advice(error: NodeError) -> anyhow::Error {
    let advice = match &error {
        NodeError::InUse { .. } => "stop it, or choose another --data".to_owned(),
        NodeError::OtherRule { found, .. } => {
            format!("use --rule {found}, or choose another --data")
        }
        NodeError::OtherDifficulty { found, .. } if found.bits() % 4 == 0 => {
            let zeros = found.bits() / 4;
            format!("use --difficulty {zeros}, or choose another --data")
        }
        NodeError::OtherDifficulty { .. } => "choose another --data".to_owned(),
        NodeError::NoNode { .. } => "choose the folder of a node with --data".to_owned(),
        NodeError::AnyOrigin => "name the trusted origins with --cors".to_owned(),
        NodeError::Occupied { .. } => "use --force to replace it".to_owned(),
        NodeError::Database {
            problem: DatabaseProblem::NotADatabase | DatabaseProblem::Foreign,
            ..
        } => "choose another --data".to_owned(),
        NodeError::Database {
            problem: DatabaseProblem::LogNeedsFolder,
            ..
        } => "copy all files of the folder, and name the copy with --data".to_owned(),
        NodeError::Search(source) => return anyhow!("{error}{}", hints::search(source)),
        _ => return error.into(),
    };
    anyhow!("{error}; {advice}")
}

fn run_import(args: &ImportArgs) -> anyhow::Result<Exit> {
    let config = config(&args.chain)?;
    let control = Control::new();
    // All changes are one commit, so leaving it loses nothing.
    interrupt::install(&control, WhenStuck::Leave)?;
    let if_occupied = if args.force {
        IfOccupied::Replace
    } else {
        IfOccupied::Refuse
    };
    match fourzero::node::import(&config, &args.file, if_occupied, &control) {
        Ok(summary) => {
            let words = "is now the chain in";
            report(args.json, &args.file, words, &config.data, summary.blocks)?;
            Ok(Exit::Yes)
        }
        Err(error @ (NodeError::Invalid { .. } | NodeError::Genesis { .. })) => {
            let hint = match &error {
                NodeError::Invalid { fault, .. }
                    if matches!(fault.kind, FaultKind::Proof { .. }) =>
                {
                    "; was it mined under another --rule or --difficulty?"
                }
                _ => "",
            };
            print::error(&format!("{error}{hint}"));
            Ok(Exit::No)
        }
        Err(_) if control.is_cancelled() => {
            print::message("interrupted; nothing was changed");
            Ok(Exit::Interrupted)
        }
        Err(error) => Err(with_advice(error)),
    }
}

fn run_export(args: &ExportArgs) -> anyhow::Result<Exit> {
    let output = &args.output;
    let is_stdout = output == Path::new("-");
    if is_stdout && args.json {
        bail!("--json and the chain cannot both go to standard output; name a file");
    }
    interrupt::install(&Control::new(), WhenStuck::Leave)?;
    let data = data_folder(args.data.as_deref())?;
    let format = args.format.unwrap_or_else(|| Format::of_path(output));
    let export = |out: &mut dyn Write, name: &str| {
        fourzero::node::export(&data, out, format).map_err(|error| match error {
            // Keeps the system's error, which shows whether a pipe was closed.
            NodeError::Write(error) => {
                anyhow::Error::from(error).context(format!("cannot write {name}"))
            }
            error => with_advice(error),
        })
    };
    if is_stdout {
        export(&mut io::stdout(), "standard output")?;
        return Ok(Exit::Yes);
    }
    let file = interrupt::removed_when_left(output, Overwrite::forced(args.force))?;
    let summary = export(&mut file.as_file(), &output.display().to_string())?;
    file.commit()?;
    report(args.json, output, "has the chain in", &data, summary.blocks)?;
    Ok(Exit::Yes)
}

fn report(json: bool, file: &Path, words: &str, data: &Path, blocks: u64) -> anyhow::Result<()> {
    let printed = if json {
        print::json(&Exchanged { file, data, blocks })
    } else {
        print::line(&format!(
            "{} {words} {}: {}",
            file.display(),
            data.display(),
            print::count(blocks, "block")
        ))
    };
    printed.context(print::FAILED)
}
