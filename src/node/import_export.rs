//! Imports a chain from a file while the node is stopped, and exports it at any
//! time.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write};
use std::path::Path;

use super::config::NodeConfig;
use super::database_problem::DatabaseProblem;
use super::error::NodeError;
use super::store::{self, Database, FileState, ReplaceError};
use super::verify::verify_file;
use crate::chain::{ChainWriter, Format, Verifier};
use crate::pow::Control;

/// What an import does with a database that already holds a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IfOccupied {
    /// Refuse if the chain has more than its first block.
    #[default]
    Refuse,
    /// Replace the chain.
    Replace,
}

/// The result of an import or export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExchangeSummary {
    /// Blocks in the chain.
    pub blocks: u64,
    /// Transactions that are pending after an import; 0 for an export.
    pub pending: u64,
}

/// Verifies the chain in `file` under the rule, difficulty and strictness of
/// `config`, and makes it the chain of the node in `config.data`. Pending
/// transactions stay, except those that the chain contains.
///
/// # Errors
/// If the file is not a valid chain that starts with the tutorial's first
/// block, if there is a chain already, or if a node uses the data.
pub fn import(
    config: &NodeConfig,
    file: &Path,
    if_occupied: IfOccupied,
    control: &Control,
) -> Result<ExchangeSummary, NodeError> {
    let path = file.to_owned();
    let io_error = |source| NodeError::Open {
        path: path.clone(),
        source,
    };
    let mut source = File::open(file).map_err(io_error)?;
    let verifier = Verifier::new(config.threads).map_err(NodeError::Thread)?;
    let report =
        verify_file(&verifier, &source, config, control).map_err(|source| NodeError::Verify {
            path: path.clone(),
            source,
        })?;
    if let Some(fault) = report.fault {
        return Err(NodeError::Invalid { path, fault });
    }
    source.rewind().map_err(io_error)?;

    let mut database = match if_occupied {
        IfOccupied::Refuse => Database::open(config)?,
        IfOccupied::Replace => Database::open_to_replace(config)?,
    };
    let blocks = database.tip().index;
    if blocks > 1 && if_occupied == IfOccupied::Refuse {
        return Err(NodeError::Occupied {
            path: database.path().to_owned(),
            blocks,
        });
    }
    database
        .import(&source, control)
        .map(|replacement| ExchangeSummary {
            blocks: replacement.blocks,
            pending: replacement.pending,
        })
        .map_err(|error| match error {
            ReplaceError::Database(error) => NodeError::Database {
                path: database.path().to_owned(),
                problem: error.into(),
            },
            ReplaceError::Stage(source) => NodeError::Io {
                path: config.data.clone(),
                source,
            },
            ReplaceError::Read(source) => NodeError::Read { path, source },
            ReplaceError::Genesis(what) => NodeError::Genesis { path, what },
            other => NodeError::Io {
                path,
                source: io::Error::other(other),
            },
        })
}

/// Writes the chain of the node in `data`, as it is at one moment. The node may
/// be running. If it is not, nothing in `data` needs to be writable.
///
/// # Errors
/// If there is no database in `data`, or reading it or writing to `out` fails.
pub fn export(data: &Path, out: impl Write, format: Format) -> Result<ExchangeSummary, NodeError> {
    let path = data.join(store::FILE_NAME);
    let problem = |problem| NodeError::Database {
        path: path.clone(),
        problem,
    };
    let failed = |error: rusqlite::Error| problem(error.into());
    let no_node = || NodeError::NoNode {
        path: data.to_owned(),
    };
    if let Err(source) = std::fs::metadata(&path) {
        return Err(match source.kind() {
            io::ErrorKind::NotFound => no_node(),
            _ => NodeError::Io { path, source },
        });
    }
    let (connection, version, unlocked) = store::open_for_export(&path).map_err(problem)?;
    if version == 0 {
        return Err(no_node());
    }
    let mut query = connection
        .prepare("SELECT text FROM blocks ORDER BY number")
        .map_err(failed)?;
    // One query sees one state of the database.
    let mut rows = query.query([]).map_err(failed)?;
    let mut writer = ChainWriter::new(BufWriter::new(out), format);
    let mut blocks = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        let text = row
            .get_ref(0)
            .and_then(|value| Ok(value.as_bytes()?))
            .map_err(failed)?;
        writer.push_text(text).map_err(NodeError::Write)?;
        blocks += 1;
    }
    if let Some(state) = unlocked
        && !FileState::of(&path).is_ok_and(|now| now == state)
    {
        return Err(problem(DatabaseProblem::Changed));
    }
    writer.finish().map_err(NodeError::Write)?;
    Ok(ExchangeSummary { blocks, pending: 0 })
}
