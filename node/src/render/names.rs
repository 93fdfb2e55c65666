//! Names of the values of enums, in the words of the schema.

use symphony_protocol::{
    policy::PolicyKind,
    records::{
        AnswerCheck, AnswerForm, CheckerVerdict, Device, Learning, OutcomeClass, Phase, Reach,
        ResultClass,
    },
    vote::VoteRule,
};

/// Name of an answer form.
pub(super) const fn form_name(form: AnswerForm) -> &'static str {
    match form {
        AnswerForm::Boolean => "boolean",
        AnswerForm::YesNo => "yes_no",
        AnswerForm::Integer => "integer",
        AnswerForm::Choice => "option",
        AnswerForm::Brackets => "brackets",
        AnswerForm::Plan => "plan",
        AnswerForm::Text => "text",
    }
}

/// Name of a beacon's reach.
pub(super) const fn reach_name(reach: Reach) -> &'static str {
    match reach {
        Reach::Directed => "directed",
        Reach::Gossip => "gossip",
    }
}

/// Name of a device.
pub(super) const fn device_name(device: Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda => "cuda",
        Device::Metal => "metal",
        Device::Remote => "remote",
    }
}

/// Name of a receipt's result.
pub(super) const fn result_name(class: ResultClass) -> &'static str {
    match class {
        ResultClass::Answered => "answered",
        ResultClass::Unparsable => "unparsable",
        ResultClass::Failed => "failed",
        ResultClass::Abstained => "abstained",
    }
}

/// Name of an outcome.
pub(super) const fn outcome_name(class: OutcomeClass) -> &'static str {
    match class {
        OutcomeClass::Won => "won",
        OutcomeClass::Valid => "valid",
        OutcomeClass::Invalid => "invalid",
        OutcomeClass::Timeout => "timeout",
        OutcomeClass::Void => "void",
    }
}

/// Name of the check of a revealed answer.
pub(super) const fn check_name(check: AnswerCheck) -> &'static str {
    match check {
        AnswerCheck::Parses => "parses",
        AnswerCheck::Unparsable => "unparsable",
        AnswerCheck::Withheld => "withheld",
    }
}

/// Name of what a checker said.
pub(super) const fn checker_name(checker: CheckerVerdict) -> &'static str {
    match checker {
        CheckerVerdict::Unchecked => "unchecked",
        CheckerVerdict::Passed => "passed",
        CheckerVerdict::Failed => "failed",
    }
}

/// Name of a deadline, without its slot.
pub(super) const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Bids => "bids",
        Phase::Receipt(_) => "receipt",
        Phase::Reveals => "reveals",
        Phase::Openings => "openings",
    }
}

/// Name of a learning rule.
pub(super) const fn kind_name(kind: PolicyKind) -> &'static str {
    kind.name()
}

/// Name of what becomes of what the policy before learned.
pub(super) const fn learning_name(learning: Learning) -> &'static str {
    match learning {
        Learning::Anew => "anew",
        Learning::Kept => "kept",
    }
}

/// Name of a vote rule.
pub(super) const fn vote_rule_name(rule: VoteRule) -> &'static str {
    match rule {
        VoteRule::Reliability => "reliability",
        VoteRule::Screening => "screening",
        VoteRule::Majority => "majority",
    }
}
