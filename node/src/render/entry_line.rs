//! An entry in one line.

use symphony_protocol::records::{
    Body, Close, Entry, Outcome, Phase, Receipt, Selection, Settlement, StatementRecord, Winner,
};
use symphony_protocol::records::{OutcomeClass, Received};

use super::{
    names::{
        check_name, device_name, form_name, kind_name, learning_name, outcome_name, phase_name,
        reach_name, result_name,
    },
    time::time_text,
};

/// One line about an entry: index, time, kind, and what matters of it. Numbers are rounded; [`super::entry_json`] has all.
pub fn entry_line(entry: &Entry) -> String {
    let line = format!(
        "{:>8}  {}  {:<24}  {}",
        entry.index,
        time_text(entry.time_ms),
        entry.body.name(),
        summary(&entry.body)
    );
    line.trim_end().to_owned()
}

fn summary(body: &Body) -> String {
    match body {
        Body::Genesis(genesis) => format!(
            "{}, network {} ({})",
            genesis.keys.log,
            genesis.params.name(),
            genesis.params.network_id().fmt_short()
        ),
        Body::PolicySet(policy, learning) => format!(
            "{}, exploration {}, {}, digest {}",
            kind_name(policy.parameters.kind),
            percent(policy.parameters.exploration_ppm),
            learning_name(*learning),
            policy.digest().fmt_short()
        ),
        Body::CapabilityIssued(issued) => capability(&issued.record.tags, issued.record.sequence),
        Body::CapabilityReceived(received) => format!(
            "{}: {}",
            author(received),
            capability(&received.record.tags, received.record.sequence)
        ),
        Body::RevocationIssued(issued) => format!("capability {}", issued.record.sequence),
        Body::RevocationReceived(received) => format!(
            "{}: capability {}",
            author(received),
            received.record.sequence
        ),
        Body::TaskOpened(task) => format!("steps of each plan: {:?}", task.plan_steps),
        Body::BeaconIssued(issued) => {
            let beacon = &issued.record;
            format!(
                "task {} plan {} step {}: {} [{}], {} asked ({}), closes at {} bids, P {} of L {}",
                beacon.task,
                beacon.plan,
                beacon.step,
                form_name(beacon.form),
                beacon.tags.join(" "),
                beacon.asked.len(),
                reach_name(beacon.reach),
                beacon.close_bids,
                beacon.executors,
                beacon.shortlist
            )
        }
        Body::BidIssued(issued, beacon) => format!(
            "on a beacon of {}: match {}, load {}",
            author(beacon),
            percent(issued.record.match_ppm),
            percent(issued.record.load_ppm)
        ),
        Body::BidReceived(received) => format!(
            "{}: match {}, load {}, {} waiting",
            author(received),
            percent(received.record.match_ppm),
            percent(received.record.load_ppm),
            received.record.queue
        ),
        Body::AssignmentIssued(issued) => format!(
            "slot {} to {}",
            issued.record.slot,
            issued.record.executor.fmt_short()
        ),
        Body::AssignmentReceived(received) => {
            format!("slot {} from {}", received.record.slot, author(received))
        }
        Body::ReceiptIssued(issued) => receipt(&issued.record),
        Body::ReceiptReceived(received) => {
            format!("{}: {}", author(received), receipt(&received.record))
        }
        Body::RevealIssued(issued) => {
            format!("confidence {}", percent(issued.record.confidence_ppm))
        }
        Body::RevealReceived(received, check, _) => format!(
            "{}: answer {}, confidence {}, text {}",
            author(received),
            received.record.answer.fmt_short(),
            percent(received.record.confidence_ppm),
            check_name(*check)
        ),
        Body::AcknowledgementReceived(received) => format!(
            "{}: statement {} is its entry {}",
            author(received),
            received.record.statement.fmt_short(),
            received.record.origin.index
        ),
        Body::Timeout(timeout) => match timeout.phase {
            Phase::Receipt(slot) => format!("receipt of slot {slot}, beacon {}", timeout.beacon),
            phase => format!("{}, beacon {}", phase_name(phase), timeout.beacon),
        },
        Body::Resumed => String::new(),
        Body::Close(close) => closed(close),
        Body::Replacement(replacement) => format!(
            "beacon {}, slot {}: {}",
            replacement.beacon,
            replacement.slot,
            pick(&replacement.selection)
        ),
        Body::Settlement(settlement) => settled(settlement),
        Body::TaskDecided(decided) => {
            format!("task {}: {}", decided.task, winner(decided.winner))
        }
        Body::CallIssued(issued) => {
            format!("beacon {}", issued.record.beacon.fmt_short())
        }
        Body::OpeningIssued(issued, call) => format!(
            "for beacon {} of {}",
            issued.record.beacon.fmt_short(),
            author(call)
        ),
        Body::OpeningReceived(received) => format!("of {}", author(received)),
        Body::Draw(draw) => format!(
            "beacon {}, seed {}: {}",
            draw.beacon,
            draw.seed.fmt_short(),
            draw.selections
                .iter()
                .map(pick)
                .collect::<Vec<_>>()
                .join("; ")
        ),
        Body::RootRecorded(recorded) => format!("state {}", recorded.state_root.fmt_short()),
        Body::MeasuresImported(import) => match &import.taken {
            Some(taken) => format!(
                "{} claims of {} after its {} entries, weight {:.2}",
                import.open_keys().len(),
                import.source.fmt_short(),
                taken.checkpoint.size,
                f64::from(taken.weight_ppm) / 1_000_000.0
            ),
            None => format!("{} is left out", import.source.fmt_short()),
        },
    }
}

fn author<R: StatementRecord>(received: &Received<R>) -> String {
    received.statement.author().fmt_short()
}

fn capability(tags: &[String], sequence: u64) -> String {
    format!("number {sequence} [{}]", tags.join(" "))
}

fn receipt(receipt: &Receipt) -> String {
    format!(
        "{} in {} ms, {} tokens on {}, model {}",
        result_name(receipt.class),
        receipt.duration_ms,
        receipt.output_tokens,
        device_name(receipt.device),
        receipt.model.fmt_short()
    )
}

fn closed(close: &Close) -> String {
    let picks: Vec<String> = close.selections.iter().map(pick).collect();
    format!(
        "beacon {}, {} ranked; picked {}",
        close.beacon,
        close.ranking.len(),
        if picks.is_empty() {
            "none".to_owned()
        } else {
            picks.join(", ")
        }
    )
}

fn pick(selection: &Selection) -> String {
    let chance = selection.propensity.map_or_else(String::new, |propensity| {
        format!(", propensity {propensity:.3}")
    });
    format!(
        "bid {} ({:.3} ± {:.3}{chance})",
        selection.bid, selection.estimate, selection.width
    )
}

fn settled(settlement: &Settlement) -> String {
    let outcomes: Vec<String> = settlement.outcomes.iter().map(outcome).collect();
    format!(
        "beacon {}: {}, {} supporters; {}",
        settlement.beacon,
        winner(settlement.winner),
        settlement.supporters,
        outcomes.join(", ")
    )
}

fn outcome(outcome: &Outcome) -> String {
    match outcome.class {
        OutcomeClass::Void => "void".to_owned(),
        class => format!("{} {:.3}", outcome_name(class), outcome.reward),
    }
}

fn winner(winner: Option<Winner>) -> String {
    winner.map_or_else(
        || "no answer".to_owned(),
        |winner| {
            format!(
                "answer {} with weight {:.3}",
                winner.answer.fmt_short(),
                winner.weight
            )
        },
    )
}

fn percent(ppm: u32) -> String {
    format!("{:.1} %", f64::from(ppm) / 10_000.0)
}
