//! The CPU quota of the control groups that Linux puts containers in.
//!
//! `num_cpus` rounds a quota up, but reads only the process's own group; the
//! standard library also reads the groups above, but rounds down. Neither says
//! whether a quota was the limit.

use std::fs;
use std::path::Path;

/// The CPU time, in cores, that the process may use: the lowest quota of its
/// control group and of those above it. `None` if none of them has one. `root`
/// is `/`, except in tests.
pub(super) fn lowest_quota(root: &Path) -> Option<f64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let mounts = mounts.lines().filter_map(Mount::of_cpu_groups);
    let quotas = mounts.filter_map(|mount| {
        let group = mount.group_in(&groups)?;
        let top = root.join(mount.point.trim_start_matches('/'));
        // In a container, the mount may start at its group, although the name is
        // that on the host.
        let below = group.strip_prefix(mount.root).unwrap_or(Path::new(""));
        let group = top.join(below);
        let groups = group
            .ancestors()
            .take_while(|group| group.starts_with(&top));
        groups.filter_map(quota_of).reduce(f64::min)
    });
    quotas.reduce(f64::min)
}

/// A mounted hierarchy of control groups.
struct Mount<'a> {
    /// The group that is mounted.
    root: &'a str,
    point: &'a str,
    is_version_2: bool,
}

impl<'a> Mount<'a> {
    /// Parses a line of `mountinfo`. `None` if its groups do not limit the CPU.
    fn of_cpu_groups(line: &'a str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let mut file_system = file_system.split(' ');
        let is_version_2 = match file_system.next()? {
            "cgroup2" => true,
            "cgroup" if has_cpu(file_system.nth(1)?) => false,
            _ => return None,
        };
        Some(Self {
            root: mount.next()?,
            point: mount.next()?,
            is_version_2,
        })
    }

    /// The process's group, from the lines of `/proc/self/cgroup`.
    fn group_in(&self, groups: &'a str) -> Option<&'a Path> {
        groups.lines().find_map(|line| {
            let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
            let is_here = match self.is_version_2 {
                true => controllers.is_empty(),
                false => has_cpu(controllers),
            };
            is_here.then_some(Path::new(group))
        })
    }
}

fn has_cpu(controllers: &str) -> bool {
    controllers.split(',').any(|name| name == "cpu")
}

/// The quota of one group: microseconds in each period, which are `max` or -1
/// without a quota.
fn quota_of(group: &Path) -> Option<f64> {
    let read = |name| fs::read_to_string(group.join(name)).ok();
    let version_1 = || Some(read("cpu.cfs_quota_us")? + &read("cpu.cfs_period_us")?);
    let text = read("cpu.max").or_else(version_1)?;
    let mut microseconds = text.split_whitespace().map(str::parse::<u64>);
    let (quota, period) = (microseconds.next()?.ok()?, microseconds.next()?.ok()?);
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quota in a system with these files.
    fn quota(files: &[(&str, &str)]) -> Option<f64> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        lowest_quota(root.path())
    }

    const GROUP: &str = "proc/self/cgroup";
    const MOUNTS: &str = "proc/self/mountinfo";
    const VERSION_2: &str = "1 0 0:1 / /proc rw - proc proc rw\n\
        30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";

    #[test]
    fn the_lowest_quota_of_the_groups_above_counts() {
        let system = |container: &str, pod: &str| {
            quota(&[
                (GROUP, "0::/pods/web"),
                (MOUNTS, VERSION_2),
                ("sys/fs/cgroup/pods/web/cpu.max", container),
                ("sys/fs/cgroup/pods/cpu.max", pod),
            ])
        };
        assert_eq!(system("150000 100000", "max 100000"), Some(1.5));
        assert_eq!(system("max 100000", "250000 100000"), Some(2.5));
        assert_eq!(system("400000 100000", "250000 100000"), Some(2.5));
        assert_eq!(system("5000 10000", "250000 100000"), Some(0.5));
        assert_eq!(system("max 100000", "max 100000"), None);
        assert_eq!(system("100000 0", "nonsense"), None);
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_top() {
        let top = ("sys/fs/cgroup/cpu.max", "150000 100000");
        assert_eq!(
            quota(&[(GROUP, "0::/"), (MOUNTS, VERSION_2), top]),
            Some(1.5)
        );
        let mounted = VERSION_2.replace(" / /sys", " /docker/12ab /sys");
        for group in ["0::/docker/12ab", "0::/"] {
            assert_eq!(quota(&[(GROUP, group), (MOUNTS, &mounted), top]), Some(1.5));
        }
    }

    #[test]
    fn version_1_has_a_hierarchy_for_the_cpu() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n\
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:3 - cgroup cgroup rw,cpu,cpuacct\n\
            33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n\
            34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        let system = |quota_us: &str| {
            quota(&[
                (
                    GROUP,
                    "5:cpuset:/\n4:cpu,cpuacct:/docker/12ab\n0::/docker/12ab",
                ),
                (MOUNTS, mounts),
                (
                    "sys/fs/cgroup/cpu,cpuacct/docker/12ab/cpu.cfs_quota_us",
                    quota_us,
                ),
                (
                    "sys/fs/cgroup/cpu,cpuacct/docker/12ab/cpu.cfs_period_us",
                    "50000",
                ),
                ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1"),
                ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000"),
            ])
        };
        assert_eq!(system("125000"), Some(2.5));
        assert_eq!(system("-1"), None);
    }

    #[test]
    fn other_systems_have_no_quota() {
        assert_eq!(quota(&[]), None);
        assert_eq!(quota(&[(GROUP, ""), (MOUNTS, "nonsense - x")]), None);
    }
}
