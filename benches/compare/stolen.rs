//! What a hypervisor gave to other guests meanwhile.

use std::fs;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::measure::Settings;

/// The time of the server's and the load's CPU that was taken in a span of time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stolen {
    taken: Duration,
    of: Duration,
}

impl Stolen {
    /// Does something, and tells what was taken from the two CPUs while it was done.
    pub(crate) fn while_doing<T>(
        settings: &Settings,
        act: impl FnOnce() -> T,
    ) -> Result<(Stolen, T), Failure> {
        let cores = [settings.server_core, settings.load_core];
        let (before, since) = (taken(cores)?, Instant::now());
        let done = act();
        let of = since.elapsed() * cores.len() as u32;
        Ok((Stolen { taken: taken(cores)?.saturating_sub(before), of }, done))
    }

    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.taken.as_secs_f64() / self.of.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// In `/proc/stat`, the eighth figure of a CPU's line. Its unit is fixed at a hundredth of a second
/// on every Linux in use.
fn taken(cores: [usize; 2]) -> Result<Duration, Failure> {
    let text = fs::read_to_string("/proc/stat")?;
    let mut ticks = 0;
    for core in cores {
        let name = format!("cpu{core} ");
        let line = text.lines().find(|line| line.starts_with(&name)).ok_or("no such CPU")?;
        ticks += line.split_whitespace().nth(8).ok_or("no steal figure")?.parse::<u64>()?;
    }
    Ok(Duration::from_millis(10 * ticks))
}

/// What was taken from all cells whose figures were kept, and how many had to be repeated.
#[derive(Debug, Default)]
pub(crate) struct Account {
    kept: Stolen,
    repeated: usize,
}

impl Account {
    pub(crate) fn keep(&mut self, cell: Stolen) {
        self.kept.taken += cell.taken;
        self.kept.of += cell.of;
    }

    pub(crate) fn repeat(&mut self) {
        self.repeated += 1;
    }

    pub(crate) fn percent(&self) -> f64 {
        self.kept.percent()
    }

    pub(crate) fn repeated(&self) -> usize {
        self.repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_weighs_cells_by_their_length() {
        let mut account = Account::default();
        assert_eq!(account.percent(), 0.0);
        let cell = |taken, of| Stolen {
            taken: Duration::from_millis(taken),
            of: Duration::from_millis(of),
        };
        account.keep(cell(10, 100));
        account.keep(cell(0, 900));
        assert!((account.percent() - 1.0).abs() < 1e-9);
    }
}
