//! The machine that was measured.

use serde::{Deserialize, Serialize};

/// What a reader of a measurement must know of the machine and the program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The CPU's name, as the system gives it, or `unknown`.
    pub cpu: String,
    /// Those of its instruction sets that the kernels ask for.
    pub features: Vec<String>,
    /// Cores.
    pub physical_cores: usize,
    /// Threads that the cores run at once, as far as this process may use
    /// them.
    pub logical_cores: usize,
    /// The version of this program.
    pub version: String,
}

impl Machine {
    /// The machine at hand.
    pub fn here() -> Self {
        Self {
            cpu: cpu_name(),
            features: crate::sha256::cpu_features()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            physical_cores: num_cpus::get_physical(),
            logical_cores: num_cpus::get(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// What the measurements call a CPU whose name nobody tells.
const UNKNOWN: &str = "unknown";

#[cfg(target_os = "linux")]
fn cpu_name() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| name_in_cpuinfo(&text))
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

#[cfg(not(target_os = "linux"))]
fn cpu_name() -> String {
    UNKNOWN.to_owned()
}

/// The name in the text of `/proc/cpuinfo`: x86 and some others say `model
/// name`, many ARM boards only `Model` or `Hardware`.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "Linux only"))]
fn name_in_cpuinfo(text: &str) -> Option<String> {
    let value = |wanted: &str| {
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, value)| key.trim() == wanted && !value.trim().is_empty())
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    ["model name", "Model", "Hardware"]
        .into_iter()
        .find_map(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_found_in_what_linux_tells() {
        let x86 = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC  7B13\n\nprocessor\t: 1\n";
        assert_eq!(name_in_cpuinfo(x86).unwrap(), "AMD EPYC 7B13");
        let board = "processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: Raspberry Pi 5\n";
        assert_eq!(name_in_cpuinfo(board).unwrap(), "Raspberry Pi 5");
        assert_eq!(name_in_cpuinfo("processor : 0\nmodel name :\n"), None);
    }

    #[test]
    fn this_machine_has_cores() {
        let machine = Machine::here();
        assert!(machine.physical_cores > 0 && machine.logical_cores > 0);
        assert!(!machine.cpu.is_empty());
    }
}
