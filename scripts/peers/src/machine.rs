//! Describes the CPU, the compiler and the date.

use crate::foreign::output;

pub struct Machine {
    pub cpu: String,
    pub logical_cores: usize,
    pub features: Vec<&'static str>,
    pub date: String,
    pub compiler: String,
}

pub fn describe() -> Machine {
    let unknown = || "unknown".to_owned();
    Machine {
        cpu: cpu().unwrap_or_else(unknown),
        logical_cores: fourzero::bench::AvailableCores::here().logical,
        features: fourzero::sha256::cpu_features(),
        date: output("date", &["-u", "+%Y-%m-%d"])
            .map_or_else(unknown, |date| date.trim().to_owned()),
        compiler: output("rustc", &["--version"])
            .map_or_else(unknown, |version| version.trim().to_owned()),
    }
}

/// The CPU's name, family, model and stepping, from Linux. Clouds shorten the
/// name, so it alone does not identify the CPU.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    Some(format!(
        "{} (family {}, model {}, stepping {})",
        field("model name")?,
        field("cpu family")?,
        field("model")?,
        field("stepping")?
    ))
}
