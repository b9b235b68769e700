//! The resources that a process uses, from `/proc` on Linux.

use std::{fs, io, time::Duration};

/// The unit of times in `/proc`: 10 ms on every machine that Rust supports.
const TICK: Duration = Duration::from_millis(10);

/// Returns the processor time of a process so far, in user space and in the kernel.
pub(super) fn cpu_time(pid: u32) -> io::Result<Duration> {
    cpu_of(&fs::read_to_string(format!("/proc/{pid}/stat"))?)
}

/// Returns the processor time of several processes so far.
pub(super) fn cpu_time_of_all(pids: &[u32]) -> io::Result<Duration> {
    pids.iter().map(|pid| cpu_time(*pid)).sum()
}

/// Returns the processor time of this process so far.
pub(super) fn own_cpu_time() -> io::Result<Duration> {
    cpu_of(&fs::read_to_string("/proc/self/stat")?)
}

fn cpu_of(stat: &str) -> io::Result<Duration> {
    // The name may contain any character, but the fields behind it contain no bracket.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    // The third field of the file is the first one here; the fourteenth and fifteenth are the
    // times.
    let mut times = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u32>().ok());
    match (times.next(), times.next()) {
        (Some(user), Some(system)) => Ok(TICK * (user + system)),
        _ => Err(io::Error::other("/proc/PID/stat has no times")),
    }
}

/// Returns the resident memory of a process in bytes.
pub(super) fn memory(pid: u32) -> io::Result<u64> {
    memory_of(&status(pid)?, "VmRSS:")
}

fn status(pid: u32) -> io::Result<String> {
    fs::read_to_string(format!("/proc/{pid}/status"))
}

fn memory_of(status: &str, key: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes
        .map(|kb| kb * 1024)
        .ok_or_else(|| io::Error::other("/proc/PID/status has no memory: has the process ended?"))
}

/// The maximum memory of a process from some time on.
#[derive(Debug)]
pub(super) struct Peak {
    pid: u32,
    /// The maximum up to that time.
    before: u64,
    most: u64,
}

impl Peak {
    pub(super) fn from_now_on(pid: u32) -> io::Result<Self> {
        let status = status(pid)?;
        Ok(Self { pid, before: memory_of(&status, "VmHWM:")?, most: memory_of(&status, "VmRSS:")? })
    }

    /// Measures the memory. The kernel records the maximum between two measurements, but only if it
    /// is a new one for the process.
    pub(super) fn look(&mut self) -> io::Result<()> {
        let status = status(self.pid)?;
        let ever = memory_of(&status, "VmHWM:")?;
        self.most = self.most.max(memory_of(&status, "VmRSS:")?);
        if ever > self.before {
            self.most = self.most.max(ever);
        }
        Ok(())
    }

    pub(super) fn most(&self) -> u64 {
        self.most
    }
}

/// Returns how many files this process may open.
pub(super) fn open_files() -> io::Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    Ok(line.and_then(|line| line.split_whitespace().next()).and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_after_any_process_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 5 0 0 0 150 50 0 0 20 0 1 0 9 1 1";
        assert_eq!(cpu_of(stat).unwrap(), Duration::from_secs(2));
        assert!(cpu_of("").is_err());
    }

    #[test]
    fn memory_is_in_bytes() {
        assert_eq!(memory_of("Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n", "VmRSS:").unwrap(), 2 * 1024 * 1024);
        assert!(memory_of("Name:\tx\n", "VmRSS:").is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn resources_of_this_process_are_read() {
        assert!(memory(std::process::id()).unwrap() > 0);
        assert!(cpu_time(std::process::id()).is_ok() && own_cpu_time().is_ok());
        assert!(open_files().unwrap() > 0);
        let mut peak = Peak::from_now_on(std::process::id()).unwrap();
        let before = peak.most();
        peak.look().unwrap();
        assert!(peak.most() >= before);
    }
}
