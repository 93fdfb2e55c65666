//! The audit of several files, and what they say of each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use symphony_protocol::{Fault, Rule, cross_check::CrossCheck, records::Signatures};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};

use super::{
    ahead::prepare_ahead,
    export_file::{ExportFile, InputError},
    log_audit::LogAudit,
    report::{LocatedFault, LogReport, Verdict},
};

/// Entries between two calls of a progress function.
const PROGRESS_STEP: u64 = 256;

/// How far an audit of files is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditProgress<'a> {
    /// The file that is read.
    pub file: &'a Path,
    /// Entries replayed, of all files.
    pub entries_done: u64,
    /// Entries that the files' headers promise.
    pub entries_total: u64,
}

/// What came out of an audit of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// One report for each file in the order given, then one for each peer that was exposed without a log of its own.
    pub logs: Vec<LogReport>,
}

impl Audit {
    /// The gravest verdict: exposed, then unusable, then suspected, then clean.
    pub fn verdict(&self) -> Verdict {
        self.logs
            .iter()
            .map(|report| report.verdict)
            .max()
            .unwrap_or(Verdict::Clean)
    }
}

/// Audits files one after another, then compares the logs with each other.
///
/// All must belong to one network: `network` if given, otherwise that of the first usable file. `progress` is called now
/// and then.
pub fn audit_files(
    files: &[PathBuf],
    network: Option<Digest>,
    progress: &mut dyn FnMut(AuditProgress<'_>),
) -> Audit {
    let mut session = Session {
        network,
        cross_check: CrossCheck::default(),
        plans: plan(files),
        audits: Vec::new(),
        reports: Vec::new(),
        entries_done: 0,
        entries_total: 0,
    };
    session.entries_total = session.plans.iter().map(|plan| plan.entries).sum();
    for (number, file) in files.iter().enumerate() {
        let report = session.audit_file(number, file, progress);
        session.reports.push(LogReport {
            file: Some(file.clone()),
            ..report
        });
    }
    session.compare_copies();
    session.compare_logs();
    session.collect_findings();
    Audit {
        logs: session.reports,
    }
}

/// What the headers say before anything is replayed.
#[derive(Clone, Debug, Default)]
struct Plan {
    entries: u64,
    log: Option<Digest>,
    /// Sizes of all checkpoints of this log, in whichever file.
    roots: BTreeSet<u64>,
    /// Whether this is the longest file of its log, and there are others to compare with.
    compared: bool,
}

fn plan(files: &[PathBuf]) -> Vec<Plan> {
    let mut plans = Vec::new();
    let mut sizes: BTreeMap<Digest, BTreeSet<u64>> = BTreeMap::new();
    let mut longest: BTreeMap<Digest, (u64, usize)> = BTreeMap::new();
    for (number, file) in files.iter().enumerate() {
        let Ok(file) = ExportFile::open(file) else {
            plans.push(Plan::default());
            continue;
        };
        let header = file.header();
        let signed = header
            .checkpoint
            .as_deref()
            .and_then(|note| SignedCheckpoint::parse_unverified(note).ok());
        sizes
            .entry(header.log_id)
            .or_default()
            .extend(signed.map(|checkpoint| checkpoint.size));
        let best = longest
            .entry(header.log_id)
            .or_insert((header.size, number));
        if header.size > best.0 {
            *best = (header.size, number);
        }
        plans.push(Plan {
            entries: header.size,
            log: Some(header.log_id),
            ..Plan::default()
        });
    }
    let several = longest.len() > 1;
    for (number, plan) in plans.iter_mut().enumerate() {
        if let Some(log) = plan.log {
            plan.roots = sizes.get(&log).cloned().unwrap_or_default();
            plan.compared = several && longest.get(&log).is_some_and(|best| best.1 == number);
        }
    }
    plans
}

struct Session {
    network: Option<Digest>,
    cross_check: CrossCheck,
    plans: Vec<Plan>,
    /// Number of the file, and its audit; without unusable files.
    audits: Vec<(usize, LogAudit)>,
    reports: Vec<LogReport>,
    entries_done: u64,
    entries_total: u64,
}

impl Session {
    fn audit_file(
        &mut self,
        number: usize,
        path: &Path,
        progress: &mut dyn FnMut(AuditProgress<'_>),
    ) -> LogReport {
        let plan = self.plans.get(number).cloned().unwrap_or_default();
        let (mut file, mut audit) = match self.begin(path, &plan) {
            Ok(begun) => begun,
            Err(error) => return LogReport::unusable(error.to_string()),
        };
        let network = audit.network();
        let ended = prepare_ahead(
            &network,
            Signatures::Verify,
            || file.next_entry(),
            |prepared| {
                if let Some(entry) = audit.push_prepared(prepared)
                    && plan.compared
                {
                    self.cross_check.add(&audit.log(), audit.author(), &entry);
                }
                self.entries_done += 1;
                if self.entries_done.is_multiple_of(PROGRESS_STEP) {
                    progress(self.progress(path));
                }
                ControlFlow::Continue(())
            },
        );
        progress(self.progress(path));
        let mut report = audit.report();
        match ended {
            Ok(()) => self.audits.push((number, audit)),
            // A damaged file proves nothing, not even by the entries before the damage: its checkpoint was not reached.
            Err(error) => {
                report.verdict = Verdict::Unusable;
                report.fault = None;
                report.reason = Some(error.to_string());
            }
        }
        report
    }

    fn begin(&mut self, path: &Path, plan: &Plan) -> Result<(ExportFile, LogAudit), InputError> {
        let mut file = ExportFile::open(path)?;
        let entry_0 = file.next_entry()?.ok_or(InputError::NoEntries)?;
        let mut audit = LogAudit::begin(&entry_0, self.network.as_ref())?;
        let header = file.header();
        for (field, expected, found) in [
            (
                "network",
                audit.network().to_string(),
                header.network_id.to_string(),
            ),
            ("log", audit.log().to_string(), header.log_id.to_string()),
            (
                "log key",
                audit.author().to_string(),
                header.log_key.to_string(),
            ),
        ] {
            if expected != found {
                return Err(InputError::Header {
                    field,
                    expected,
                    found,
                });
            }
        }
        if let Some(note) = &header.checkpoint {
            audit.compare_with(note)?;
        }
        audit.keep_roots(plan.roots.iter().copied());
        self.network = Some(audit.network());
        if plan.compared
            && let Ok(entry) = symphony_protocol::records::Entry::parse(&entry_0, None)
        {
            self.cross_check.add(&audit.log(), audit.author(), &entry);
        }
        self.entries_done += 1;
        Ok((file, audit))
    }

    fn progress<'a>(&self, file: &'a Path) -> AuditProgress<'a> {
        AuditProgress {
            file,
            entries_done: self.entries_done,
            entries_total: self.entries_total,
        }
    }

    /// Two files of one log whose author signed different roots for one size: a fork. Spec: REPLAY-46.
    fn compare_copies(&mut self) {
        let mut forks = Vec::new();
        for (place, (first_number, first)) in self.audits.iter().enumerate() {
            for (second_number, second) in &self.audits[place + 1..] {
                if first.log() != second.log() {
                    continue;
                }
                let Some(roots) = self.plans.get(*first_number).map(|plan| &plan.roots) else {
                    continue;
                };
                let differing = roots.iter().find_map(|size| {
                    let (left, right) = (first.signed_root(*size)?, second.signed_root(*size)?);
                    (left != right).then_some((*size, left, right))
                });
                if let Some((size, left, right)) = differing {
                    let fault = LocatedFault {
                        fault: Fault {
                            peer: first.author(),
                            rule: Rule::Fork,
                            entry: size.saturating_sub(1),
                            expected: format!("one root over {size} entries"),
                            found: format!("the signed roots {} and {}", hex(&left), hex(&right)),
                        },
                        log: first.log(),
                        signed: true,
                    };
                    forks.extend([(*first_number, fault.clone()), (*second_number, fault)]);
                }
            }
        }
        for (number, fault) in forks {
            self.expose_file(number, fault);
        }
    }

    /// Entries that a peer named in a statement, and that its log does not hold. Spec: REPLAY-45.
    fn compare_logs(&mut self) {
        for fault in self.cross_check.faults() {
            let found = self.audits.iter().find(|(number, audit)| {
                audit.author() == fault.peer
                    && self.plans.get(*number).is_some_and(|plan| plan.compared)
            });
            // An unusable file is not held against its author.
            let Some((number, audit)) = found else {
                continue;
            };
            let located = LocatedFault {
                log: audit.log(),
                signed: audit.covers(fault.entry),
                fault,
            };
            self.expose_file(*number, located);
        }
    }

    /// Faults that a peer's own signed statements show in the logs of others.
    fn collect_findings(&mut self) {
        let mut findings: BTreeMap<PublicKey, LocatedFault> = BTreeMap::new();
        for (number, audit) in &self.audits {
            if self.reports[*number].verdict == Verdict::Unusable {
                continue;
            }
            for fault in audit.findings() {
                findings.entry(fault.peer).or_insert_with(|| LocatedFault {
                    fault: fault.clone(),
                    log: audit.log(),
                    signed: true,
                });
            }
        }
        for (peer, fault) in findings {
            let own: Vec<usize> = self
                .audits
                .iter()
                .filter(|(_, audit)| audit.author() == peer)
                .map(|(number, _)| *number)
                .filter(|number| self.reports[*number].verdict != Verdict::Unusable)
                .collect();
            if own.is_empty() {
                let mut report = LogReport::without_log(peer);
                report.expose(fault);
                self.reports.push(report);
                continue;
            }
            for number in own {
                self.expose_file(number, fault.clone());
            }
        }
    }

    /// A fault that replay of the log itself found stands before one that others found.
    fn expose_file(&mut self, number: usize, fault: LocatedFault) {
        if let Some(report) = self.reports.get_mut(number)
            && matches!(report.verdict, Verdict::Clean | Verdict::Suspected)
        {
            report.expose(fault);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
