//! What a process uses, as Linux tells in `/proc`.

use std::{fs, io, time::Duration};

/// A tick of the times in `/proc`. It is 10 ms on every machine that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// The processor time of a process so far, its own and the kernel's on its behalf.
pub(super) fn cpu_time(pid: u32) -> io::Result<Duration> {
    cpu_of(&fs::read_to_string(format!("/proc/{pid}/stat"))?)
}

/// The processor time of this process so far.
pub(super) fn own_cpu_time() -> io::Result<Duration> {
    cpu_of(&fs::read_to_string("/proc/self/stat")?)
}

fn cpu_of(stat: &str) -> io::Result<Duration> {
    // The name may contain anything, but nothing after it contains a bracket.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    // The third field is the first one here; the fourteenth and fifteenth are the times.
    let mut times = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u32>().ok());
    match (times.next(), times.next()) {
        (Some(user), Some(system)) => Ok(TICK * (user + system)),
        _ => Err(io::Error::other("/proc/PID/stat has no times")),
    }
}

/// The memory of a process in bytes: what is resident.
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
        .ok_or_else(|| io::Error::other("/proc/PID/status tells no memory: is it still there?"))
}

/// The most memory that a process has from some time on.
#[derive(Debug)]
pub(super) struct Peak {
    pid: u32,
    /// The most ever, up to that time.
    before: u64,
    most: u64,
}

impl Peak {
    pub(super) fn from_now_on(pid: u32) -> io::Result<Self> {
        let status = status(pid)?;
        Ok(Self { pid, before: memory_of(&status, "VmHWM:")?, most: memory_of(&status, "VmRSS:")? })
    }

    /// Looks. The kernel remembers what was between two looks, but only if it was more than ever before.
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

/// How many files this process may have open.
pub(super) fn open_files() -> io::Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    Ok(line.and_then(|line| line.split_whitespace().next()).and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_after_any_name() {
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
    fn this_process_is_there() {
        assert!(memory(std::process::id()).unwrap() > 0);
        assert!(cpu_time(std::process::id()).is_ok() && own_cpu_time().is_ok());
        assert!(open_files().unwrap() > 0);
        let mut peak = Peak::from_now_on(std::process::id()).unwrap();
        let before = peak.most();
        peak.look().unwrap();
        assert!(peak.most() >= before);
    }
}
