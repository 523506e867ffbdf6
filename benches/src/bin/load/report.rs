//! The figures, as text.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::drive::{Connections, Took};
use crate::server::Cpu;

/// One run's figures.
#[derive(Clone, Copy)]
pub struct Report {
    at_a_time: usize,
    connections: Connections,
    requests: usize,
    per_second: f64,
    /// Percentiles 50, 95 and 99.
    latency: [Duration; 3],
    /// Processor time for one onboarding.
    server: Duration,
    devices: Duration,
    /// What other processes took of the machine meanwhile, in percent: above ten, measure again.
    others: f64,
}

impl Report {
    pub fn new(at_a_time: usize, connections: Connections, took: Took, cpu: Cpu) -> Self {
        let mut each = took.each;
        each.sort();
        let percentile = |percent: usize| each[(each.len() * percent / 100).min(each.len() - 1)];
        let requests = each.len();
        let others = cpu.machine.saturating_sub(cpu.server + cpu.devices);
        Self {
            at_a_time,
            connections,
            requests,
            per_second: requests as f64 / took.whole.as_secs_f64(),
            latency: [percentile(50), percentile(95), percentile(99)],
            server: cpu.server / requests as u32,
            devices: cpu.devices / requests as u32,
            others: 100.0 * others.as_secs_f64() / (took.whole.as_secs_f64() * cores() as f64),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p95, p99] = self.latency.map(|latency| latency.as_secs_f64() * 1000.0);
        write!(
            f,
            "{:>2} devices, {:<6} connections: {:>5.0}/s  p50 {p50:>6.2} ms  p95 {p95:>6.2} ms  \
             p99 {p99:>6.2} ms  processor: server {:>4} µs, devices {:>4} µs, others {:>2.0} %  ({} onboardings)",
            self.at_a_time,
            format!("{:?}", self.connections).to_lowercase(),
            self.per_second,
            self.server.as_micros(),
            self.devices.as_micros(),
            self.others,
            self.requests,
        )
    }
}

/// Prints the median run of each load, and the slowest and fastest beside it.
pub fn medians(reports: &[Report]) {
    println!();
    for connections in [Connections::Reused, Connections::New] {
        let mut loads: Vec<usize> = reports.iter().map(|report| report.at_a_time).collect();
        loads.sort_unstable();
        loads.dedup();
        for load in loads {
            let mut runs: Vec<&Report> = reports
                .iter()
                .filter(|report| report.at_a_time == load && report.connections == connections)
                .collect();
            runs.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
            if let (Some(slowest), Some(fastest)) = (runs.first(), runs.last()) {
                let middle = runs[runs.len() / 2];
                let (slowest, fastest) = (slowest.per_second, fastest.per_second);
                println!("median {middle}  runs {slowest:.0} to {fastest:.0}/s");
            }
        }
    }
}

/// Prints what it was measured on.
pub fn machine(folder: &Path) {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = text("/proc/cpuinfo");
    let model = cpu_info
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    let cores = cores();
    let kernel = text("/proc/sys/kernel/osrelease");
    let load = text("/proc/loadavg");
    println!(
        "{cores} cores, {}, Linux {}",
        model.unwrap_or("?"),
        kernel.trim()
    );
    println!("load before: {}; folder: {}", load.trim(), folder.display());
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The middle of sorted durations.
pub fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}
