//! The machine that was measured.

use serde::{Deserialize, Serialize};

use super::available_cores::AvailableCores;

/// The machine and the program that a measurement was made with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// The CPU's name as Linux gives it, or `unknown`.
    pub cpu: String,
    /// The CPU's instruction sets that kernels use.
    pub features: Vec<String>,
    /// The cores that this process may use.
    #[serde(flatten)]
    pub cores: AvailableCores,
    /// The version of fourzero.
    pub version: String,
}

impl Machine {
    /// This machine.
    pub fn here() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let features = crate::sha256::cpu_features();
        Self {
            cpu: name_in_cpuinfo(&cpuinfo).unwrap_or_else(|| "unknown".to_owned()),
            features: features.into_iter().map(str::to_owned).collect(),
            cores: AvailableCores::here(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The name in the text of `/proc/cpuinfo`: x86 and some others say `model
/// name`, many ARM boards only `Model` or `Hardware`.
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
    fn the_cpu_name_is_found_in_cpuinfo() {
        let x86 = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC  7B13\n\nprocessor\t: 1\n";
        assert_eq!(name_in_cpuinfo(x86).unwrap(), "AMD EPYC 7B13");
        let board = "processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: Raspberry Pi 5\n";
        assert_eq!(name_in_cpuinfo(board).unwrap(), "Raspberry Pi 5");
        assert_eq!(name_in_cpuinfo("processor : 0\nmodel name :\n"), None);
    }

    #[test]
    fn this_machine_has_cores() {
        let machine = Machine::here();
        assert!(machine.cores.physical > 0 && machine.cores.logical > 0);
        assert!(!machine.cpu.is_empty());
    }
}
