//! The figures as a Markdown table and as JSON.

use serde_json::{Value, json};

use crate::TURNS;
use crate::contender::Message;
use crate::foreign::OpensslFigure;
use crate::machine::Machine;
use crate::peers::{self, DEFAULT, Missing};

/// The rates of one program with one message.
pub struct Result {
    pub contender: String,
    pub message: Message,
    /// Nonces in each turn.
    pub nonces: u64,
    /// Nonces per second in each turn.
    pub rates: Vec<f64>,
}

impl Result {
    pub fn new(contender: String, message: Message, nonces: u64) -> Self {
        Self {
            contender,
            message,
            nonces,
            rates: Vec::new(),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates
    }

    fn best(&self) -> f64 {
        self.sorted().pop().expect("there are turns")
    }

    fn median(&self) -> f64 {
        let rates = self.sorted();
        let middle = rates.len() / 2;
        (rates[middle] + rates[(rates.len() - 1) / 2]) / 2.0
    }
}

pub struct Report {
    pub machine: Machine,
    pub results: Vec<Result>,
    pub openssl: Option<OpensslFigure>,
    pub absent: Vec<Missing>,
}

impl Report {
    /// The programs in the order of their first result.
    fn contenders(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for result in &self.results {
            if !names.contains(&result.contender.as_str()) {
                names.push(&result.contender);
            }
        }
        names
    }

    fn result(&self, contender: &str, message: Message) -> Option<&Result> {
        self.results
            .iter()
            .find(|result| result.contender == contender && result.message == message)
    }

    /// The fastest other program for this message, and fourzero's rate divided by
    /// its rate, in the best turns. Here fourzero chooses the kernel itself.
    fn lead(&self, message: Message) -> Option<(&str, f64)> {
        let others = self
            .results
            .iter()
            .filter(|result| result.message == message && !result.contender.starts_with(DEFAULT));
        let other = others.max_by(|one, other| one.best().total_cmp(&other.best()))?;
        let ours = self.result(DEFAULT, message)?;
        Some((&other.contender, ours.best() / other.best()))
    }

    pub fn table(&self) -> String {
        let Machine {
            cpu,
            logical_cores,
            date,
            compiler,
            ..
        } = &self.machine;
        let mut text = format!(
            "{date}, {cpu}, {logical_cores} logical cores, one of them used; {compiler}.\n\
             Million nonces per second, best (median) of {TURNS} alternating turns.\n\n"
        );
        let write = |text: &mut String, line: String| {
            text.push_str(&line);
            text.push('\n');
        };
        let names = Message::ALL.map(Message::name).join(" | ");
        write(&mut text, format!("| program | {names} |"));
        write(&mut text, "|---|---|---|---|".to_owned());
        let row = |name: &str, cell: &dyn Fn(Message) -> String| {
            let cells = Message::ALL.map(cell).join(" | ");
            format!("| {name} | {cells} |")
        };
        for contender in self.contenders() {
            let figures = |message| match self.result(contender, message) {
                Some(result) => {
                    let (best, median) = (result.best() / 1e6, result.median() / 1e6);
                    format!("{best:.2} ({median:.2})")
                }
                None => "cannot".to_owned(),
            };
            write(&mut text, row(contender, &figures));
            if contender == DEFAULT {
                let chosen = |message| peers::chosen(message).to_string();
                write(
                    &mut text,
                    row("kernel that it measured as fastest", &chosen),
                );
                let lead = |message| match self.lead(message) {
                    Some((other, times)) => format!("{times:.2} times {other}"),
                    None => "alone".to_owned(),
                };
                write(&mut text, row("compared with the fastest other", &lead));
            }
        }
        if let Some(OpensslFigure { version, messages }) = &self.openssl {
            write(
                &mut text,
                format!(
                    "| `openssl speed`, {version}: 16 bytes, no nonce | {:.2} | | |",
                    messages / 1e6
                ),
            );
        }
        for (name, reason) in &self.absent {
            write(&mut text, format!("| {name} | not run: {reason} | | |"));
        }
        text
    }

    pub fn json(&self) -> Value {
        let Machine {
            cpu,
            logical_cores,
            features,
            date,
            compiler,
        } = &self.machine;
        let results: Vec<Value> = self
            .results
            .iter()
            .map(|result| {
                json!({
                    "program": result.contender,
                    "message": result.message.name(),
                    "nonces": result.nonces,
                    "best": result.best(),
                    "median": result.median(),
                    "turns": result.rates,
                })
            })
            .collect();
        let chosen = Message::ALL.map(|message| {
            let (other, times) = self.lead(message).unzip();
            json!({
                "message": message.name(),
                "kernel": peers::chosen(message).name(),
                "fastest_other": other,
                "times_fastest_other": times,
            })
        });
        let absent: Vec<Value> = self
            .absent
            .iter()
            .map(|(name, reason)| json!({"program": name, "reason": reason}))
            .collect();
        json!({
            "cpu": cpu,
            "features": features,
            "logical_cores": logical_cores,
            "date": date,
            "compiler": compiler,
            "unit": "nonces per second, one thread",
            "results": results,
            "chosen": chosen,
            "openssl": self.openssl.as_ref().map(|figure| json!({
                "version": figure.version,
                "messages_per_second": figure.messages,
            })),
            "not_run": absent,
        })
    }
}
