//! Vectors of numbers, embeddings, screening, policies, votes, rewards and the state map.
//!
//! They are written by a second implementation (`tests/reference/mathematics.py`); every number must agree to the bit.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use symphony_protocol::embedding::{Embedding, cosine, similarity};
use symphony_protocol::map::{Proof, ProofError, StateMap, Terminal};
use symphony_protocol::matching::{Profile, match_ppm};
use symphony_protocol::number::ln;
use symphony_protocol::policy::{
    Choice, Context, Downdate, Learned, LinUcb, Model, NewcomerRule, Parts, PickRules, PolicyKind,
    PolicyParameters, Ridge, Shared, pick,
};
use symphony_protocol::reward::{Answered, Checked, Outcome, RewardParameters, Vote};
use symphony_protocol::screening::{Candidate, Exploration, Weights, rank};
use symphony_protocol::{
    records::{HopChain, hop_anchor},
    vote::{Answers, Ballot, Belief, PlanBallot, Voter, log_odds, plan_vote, probabilities, tally},
};
use symphony_transparency::{Digest, PublicKey};

/// One vector: its fields in order.
struct Case {
    path: PathBuf,
    fields: Vec<(String, String)>,
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a vector is a readable text file");
        let fields = text
            .lines()
            .map(|line| {
                let (name, value) = line.split_once(':').expect("a line is `name: value`");
                (name.to_owned(), value.trim().to_owned())
            })
            .collect();
        Self { path, fields }
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.fields
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    fn one(&self, name: &str) -> &str {
        self.all(name)
            .next()
            .unwrap_or_else(|| panic!("{} has a field {name}", self.path.display()))
    }

    fn words(&self, name: &str) -> Vec<String> {
        self.one(name)
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    }

    fn integer(&self, name: &str) -> u64 {
        integer(self.one(name))
    }

    fn is(&self, name: &str, actual: impl Into<String>) {
        assert_eq!(
            actual.into(),
            self.one(name),
            "{name} in {}",
            self.path.display()
        );
    }
}

/// Runs every vector of a folder, of which there must be at least `least`.
fn each(folder: &str, least: usize, check: impl Fn(&Case)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of vectors exists")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    assert!(paths.len() >= least, "{} vectors", paths.len());
    for path in paths {
        check(&Case::read(path));
    }
}

fn integer(text: &str) -> u64 {
    text.parse().expect("a whole number")
}

fn ppm(text: &str) -> u32 {
    text.parse().expect("parts per million")
}

fn bytes(text: &str) -> Vec<u8> {
    let text = if text == "-" { "" } else { text };
    (0..text.len() / 2)
        .map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).expect("hexadecimal"))
        .collect()
}

fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}

fn number(text: &str) -> f64 {
    f64::from_bits(u64::from_str_radix(text, 16).expect("16 hexadecimal digits"))
}

fn shown(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}

fn listed(numbers: &[f64]) -> String {
    let texts: Vec<String> = numbers.iter().map(|number| shown(*number)).collect();
    texts.join(" ")
}

fn context(words: &[&str]) -> Context {
    let numbers: Vec<f64> = words.iter().map(|word| number(word)).collect();
    numbers.try_into().expect("six numbers")
}

fn candidate(text: &str) -> Candidate {
    let words: Vec<&str> = text.split(' ').collect();
    let peer = PublicKey::from_slice(&bytes(words[0])).expect("a key");
    Candidate {
        peer,
        bid_index: integer(words[1]),
        similarity: number(words[2]),
        prior: number(words[3]),
        load: number(words[4]),
        latency: number(words[5]),
        availability: number(words[6]),
        reputation: number(words[7]),
        newcomer: words[8] == "newcomer",
        settled_at_close: integer(words[9]),
        named: false,
    }
}

fn exploration(case: &Case) -> Exploration {
    match case.one("exploration") {
        "off" => Exploration::Off,
        "newcomers" => Exploration::Newcomers,
        other => match other.rsplit_once('-') {
            Some(("everybody", closes)) => Exploration::Everybody(integer(closes)),
            Some(("in-turn", closes)) => Exploration::InTurn(integer(closes)),
            _ => panic!("an exploration: {other}"),
        },
    }
}

#[test]
fn select_3_ln_vectors() {
    each("ln", 16, |case| {
        case.is("ln", shown(ln(number(case.one("x")))))
    });
}

#[test]
fn select_5_embedding_vectors() {
    each("embedding", 22, |case| {
        if case.has("text") {
            let times = usize::try_from(case.integer("times")).expect("small");
            let text = String::from_utf8(bytes(case.one("text")))
                .expect("UTF-8")
                .repeat(times);
            let embedding = Embedding::of_text(&text);
            assert_eq!(
                embedding.to_bytes().to_vec(),
                bytes(case.one("embedding")),
                "{}",
                case.path.display()
            );
        } else if case.has("left") {
            let read = |name| Embedding::from_bytes(&bytes(case.one(name))).expect("128 bytes");
            let (left, right) = (read("left"), read("right"));
            case.is("cosine", shown(cosine(&left, &right)));
            case.is("similarity", shown(similarity(&left, &right)));
        } else if case.has("match_ppm") {
            let read = |name| Embedding::from_bytes(&bytes(case.one(name))).expect("128 bytes");
            let capability = Profile {
                tags: &case.words("capability_tags"),
                embedding: &read("capability_embedding"),
            };
            let requirement = Profile {
                tags: &case.words("requirement_tags"),
                embedding: &read("requirement_embedding"),
            };
            case.is(
                "match_ppm",
                match_ppm(&capability, &requirement).to_string(),
            );
        } else {
            case.is("expect", "wrong-length");
            assert!(Embedding::from_bytes(&bytes(case.one("embedding"))).is_err());
        }
    });
}

#[test]
fn select_11_screening_vectors() {
    each("screening", 9, |case| {
        let weights: Vec<u32> = case
            .words("weights_ppm")
            .iter()
            .map(|word| ppm(word))
            .collect();
        let weights = Weights {
            similarity_ppm: weights[0],
            prior_ppm: weights[1],
            stability_ppm: weights[2],
        };
        let candidates: Vec<Candidate> = case.all("candidate").map(candidate).collect();
        let shortlist = usize::try_from(case.integer("shortlist")).expect("small");
        let ranked: Vec<String> = rank(&candidates, &weights, shortlist, exploration(case))
            .iter()
            .map(|place| {
                format!(
                    "{} {} {}",
                    place.position,
                    place.bid_index,
                    shown(place.score)
                )
            })
            .collect();
        let expected: Vec<&str> = case.all("ranked").collect();
        assert_eq!(ranked, expected, "{}", case.path.display());
    });
}

fn policy_parameters(case: &Case) -> PolicyParameters {
    let words = case.words("parameters");
    PolicyParameters {
        kind: PolicyKind::from_name(&words[0]).expect("a kind"),
        lambda_ppm: ppm(&words[1]),
        delta_ppm: ppm(&words[2]),
        alpha_ppm: ppm(&words[3]),
        noise_ppm: ppm(&words[4]),
        norm_bound_ppm: ppm(&words[5]),
        exploration_ppm: ppm(&words[6]),
        ..PolicyParameters::SHARED
    }
}

/// The policy after the case's choices, rewards and withdrawals.
fn learned(case: &Case) -> LinUcb<6> {
    let mut policy = LinUcb::new(&policy_parameters(case));
    for (name, value) in &case.fields {
        let words: Vec<&str> = value.split(' ').collect();
        match name.as_str() {
            "choice" => policy.observe_choice(&context(&words)),
            "reward" => policy.observe_reward(&context(&words[1..]), number(words[0])),
            "forget" => {
                let _: Downdate = policy.forget_choice(&context(&words));
            }
            _ => {}
        }
    }
    policy
}

fn is_policy(case: &Case, policy: &LinUcb<6>) {
    case.is("observations", policy.observations().to_string());
    case.is("triangle", listed(&policy.triangle()));
    case.is("settled", listed(&policy.parts().settled));
    case.is("b", listed(&policy.b()));
    case.is("theta", listed(&policy.theta()));
    let beta = policy.parameters().beta(6, policy.observations() as f64);
    case.is("beta", shown(beta));
}

#[test]
fn select_16_linucb_vectors() {
    each("linucb", 17, |case| {
        let policy = learned(case);
        if case.has("executors") {
            let rules = PickRules {
                executors: usize::try_from(case.integer("executors")).expect("small"),
                newcomers: match case.one("newcomers") {
                    "unlimited" => NewcomerRule::Unlimited,
                    _ => NewcomerRule::AtMostOne,
                },
                exploration: exploration(case),
            };
            let shortlist: Vec<Candidate> = case.all("candidate").map(candidate).collect();
            let parameters = policy_parameters(case);
            let model = Model::from_parts(&parameters, 0, 0, Some(&policy.parts()))
                .expect("parts of a policy");
            let picked = pick(model, &shortlist, &rules, None);
            let picks: Vec<String> = picked
                .picks
                .iter()
                .map(|pick| {
                    let numbers = listed(&[pick.estimate, pick.width, pick.score]);
                    format!("{} {} {numbers}", pick.position, pick.bid_index)
                })
                .collect();
            let expected: Vec<&str> = case.all("pick").collect();
            assert_eq!(picks, expected, "{}", case.path.display());
            let Learned::Shared(Shared {
                ridge: Ridge::Lasting(after),
            }) = picked.policy.learned()
            else {
                panic!("a shared model")
            };
            is_policy(case, after);
            return;
        }
        is_policy(case, &policy);
        for assessed in case.all("assess") {
            let words: Vec<&str> = assessed.split(' ').collect();
            let choice = policy.assess(&[context(&words[..6])])[0];
            let numbers = listed(&[choice.estimate, choice.width, choice.score]);
            assert_eq!(numbers, words[6..].join(" "), "{}", case.path.display());
        }
    });
}

/// The numbers of a linear model: two counts, and then its numbers in the order of the state's fields.
fn shown_parts(parts: &Parts) -> String {
    let weight = parts.weight.as_slice();
    let all = [
        weight,
        &parts.matrix,
        &parts.squared,
        &parts.cross,
        &parts.b,
        &parts.settled,
    ]
    .concat();
    let numbers: String = all.iter().map(|number| shown(*number)).collect();
    format!("{} {} {numbers}", parts.observations, parts.until)
}

/// A policy of any kind after the case's choices and what came of them.
fn policy_of(case: &Case) -> Model {
    let words = case.words("parameters");
    let parameters = PolicyParameters {
        discount_ppm: ppm(&words[7]),
        frozen_after: match case.one("frozen_after") {
            "never" => None,
            count => Some(integer(count)),
        },
        ..policy_parameters(case)
    };
    assert_eq!(parameters.validate(), Ok(()));
    let mut policy = Model::new(&parameters);
    let mut choices: Vec<Choice> = Vec::new();
    for (name, value) in &case.fields {
        let words: Vec<&str> = value.split(' ').collect();
        let made = |number: &str| {
            let number = integer(number);
            let found = choices.iter().find(|choice| choice.number == number);
            *found.expect("a choice that was made")
        };
        match name.as_str() {
            "choose" => {
                let peer = PublicKey::from_slice(&bytes(words[0])).expect("a key");
                let context = context(&words[1..]);
                let number = policy.choose(peer, context);
                choices.push(Choice {
                    peer,
                    context,
                    number,
                });
            }
            "settle" => policy.settle(&made(words[0]), number(words[1])),
            "void" => policy.void(&made(words[0])),
            _ => {}
        }
    }
    policy
}

/// Spec: SELECT-12, SELECT-21 to SELECT-26.
#[test]
fn select_26_policy_vectors() {
    each("policies", 12, |case| {
        let named = case.one("named");
        let shortlist: Vec<Candidate> = case
            .all("candidate")
            .map(|text| Candidate {
                named: text.starts_with(named),
                ..candidate(text)
            })
            .collect();
        let rules = PickRules {
            executors: usize::try_from(case.integer("executors")).expect("small"),
            newcomers: NewcomerRule::AtMostOne,
            exploration: Exploration::Off,
        };
        let mut picked = pick(policy_of(case), &shortlist, &rules, None);
        let picks: Vec<String> = picked
            .picks
            .iter()
            .map(|pick| {
                let numbers = listed(&[pick.estimate, pick.width, pick.score]);
                let (position, bid, number) = (pick.position, pick.bid_index, pick.number);
                format!("{position} {bid} {number} {numbers}")
            })
            .collect();
        let expected: Vec<&str> = case.all("pick").collect();
        assert_eq!(picks, expected, "{}", case.path.display());
        case.is("choices", picked.policy.choices().to_string());
        case.is("settled", picked.policy.settled().to_string());
        let shared: Vec<String> = picked
            .policy
            .shared_parts()
            .iter()
            .map(shown_parts)
            .collect();
        let expected: Vec<&str> = case.all("shared").collect();
        assert_eq!(shared, expected, "shared of {}", case.path.display());
        let peers: BTreeSet<String> = picked
            .policy
            .take_peers()
            .iter()
            .map(|(peer, parts)| {
                let key: String = peer
                    .as_bytes()
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                format!("{key} {}", shown_parts(parts))
            })
            .collect();
        let expected: BTreeSet<String> = case.all("peer").map(str::to_owned).collect();
        assert_eq!(peers, expected, "peers of {}", case.path.display());
    });
}

fn ballot(text: &str) -> Ballot {
    let words: Vec<&str> = text.split(' ').collect();
    Ballot {
        peer: PublicKey::from_slice(&bytes(words[0])).expect("a key"),
        voter: match words[1] {
            "coordinator" => Voter::Coordinator,
            _ => Voter::Peer,
        },
        answer: digest(words[2]),
        confidence_ppm: ppm(words[3]),
        weight: number(words[4]),
    }
}

fn belief(text: &str) -> Belief {
    let (answer, reliability) = text.split_once(' ').expect("an answer and a reliability");
    Belief {
        answer: digest(answer),
        reliability: number(reliability),
    }
}

fn plan(text: &str) -> PlanBallot {
    let (answer, weight) = text.split_once(' ').expect("an answer and a weight");
    PlanBallot {
        answer: (answer != "none").then(|| digest(answer)),
        weight: number(weight),
    }
}

#[test]
fn vote_2_vote_3_vote_7_vectors() {
    each("vote", 21, |case| {
        if case.has("log_odds") {
            for line in case.all("log_odds") {
                let (reliability, weight) = line.split_once(' ').expect("two numbers");
                // No number is among them, which `number` refuses.
                let bits = u64::from_str_radix(reliability, 16).expect("16 digits");
                let found = shown(log_odds(f64::from_bits(bits)));
                assert_eq!(found, weight, "{}", case.path.display());
            }
            return;
        }
        if case.has("answers") {
            let answers = match case.one("answers") {
                "two" => Answers::Two,
                _ => Answers::Many,
            };
            let beliefs: Vec<Belief> = case.all("belief").map(belief).collect();
            let found: Vec<String> = probabilities(&beliefs, answers)
                .iter()
                .map(|(answer, probability)| format!("{answer} {}", shown(*probability)))
                .collect();
            let expected: Vec<&str> = case.all("probable").collect();
            assert_eq!(found, expected, "{}", case.path.display());
            return;
        }
        if case.has("plan") {
            let plans: Vec<PlanBallot> = case.all("plan").map(plan).collect();
            let found =
                plan_vote(&plans).map(|tally| format!("{} {}", tally.answer, shown(tally.weight)));
            case.is("plan_tally", found.unwrap_or_else(|| "none".to_owned()));
            return;
        }
        let ballots: Vec<Ballot> = case.all("ballot").map(ballot).collect();
        let found = tally(&ballots).map(|tally| {
            let quorum = if tally.quorum { "quorum" } else { "no-quorum" };
            let numbers = listed(&[tally.weight, tally.total_weight]);
            format!("{} {numbers} {} {quorum}", tally.answer, tally.supporters)
        });
        case.is("tally", found.unwrap_or_else(|| "none".to_owned()));
    });
}

/// Spec: BEACON-14.
#[test]
fn beacon_14_vectors() {
    each("hops", 9, |case| {
        let hop_limit = u32::try_from(case.integer("hop_limit")).expect("at most 16");
        // Without an anchor nothing travels.
        let chain = (!case.one("anchor").is_empty()).then(|| HopChain {
            anchor: digest(case.one("anchor")),
            hop_limit,
        });
        let hop = chain.and_then(|chain| chain.hop(&digest(case.one("token"))));
        let expected = case
            .has("hop")
            .then(|| u32::try_from(case.integer("hop")).expect("at most 16"));
        assert_eq!(hop, expected, "{}", case.path.display());
        if hop == Some(1) {
            let anchor = chain.map(|chain| chain.anchor);
            assert_eq!(hop_anchor(&digest(case.one("token")), hop_limit), anchor);
        }
    });
}

fn outcome(text: &str) -> Outcome {
    let words: Vec<&str> = text.split(' ').collect();
    match words[0] {
        "invalid" => Outcome::Invalid,
        "timed-out" => Outcome::TimedOut,
        vote => Outcome::Valid(Answered {
            vote: if vote == "won" {
                Vote::Won
            } else {
                Vote::NotWon
            },
            latency_ms: integer(words[1]),
            checked: match words[2] {
                "correct" => Checked::Correct,
                "wrong" => Checked::Wrong,
                _ => Checked::Unchecked,
            },
            price_share_ppm: ppm(words[3]),
        }),
    }
}

#[test]
fn settle_3_reward_vectors() {
    each("reward", 11, |case| {
        let words = case.words("parameters");
        let parameters = RewardParameters {
            winner_bonus_ppm: ppm(&words[0]),
            latency_penalty_ppm: ppm(&words[1]),
            latency_scale_ms: integer(&words[2]),
            checker_ppm: ppm(&words[3]),
            price_ppm: ppm(&words[4]),
        };
        let outcome = outcome(case.one("outcome"));
        case.is("raw", shown(parameters.raw(&outcome)));
        case.is(
            "bounds",
            listed(&[parameters.bounds().low, parameters.bounds().high]),
        );
        case.is("reward", shown(parameters.reward(&outcome)));
    });
}

fn proof_of(case: &Case) -> Proof {
    let siblings = case.all("sibling").map(digest).collect();
    let terminal = match case.one("terminal").split_once(' ') {
        None => Terminal::Empty,
        Some((place, value)) => Terminal::Leaf {
            place: digest(place),
            value: digest(value),
        },
    };
    Proof::from_parts(siblings, terminal)
}

fn verdict(result: Result<(), ProofError>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(ProofError::TooLong { .. }) => "too-long",
        Err(ProofError::ValueMismatch) => "value-mismatch",
        Err(ProofError::NotAbsent) => "not-absent",
        Err(ProofError::OffPath) => "off-path",
        Err(ProofError::RootMismatch { .. }) => "root-mismatch",
        Err(_) => "another error",
    }
}

#[test]
fn state_3_map_vectors() {
    each("map", 15, |case| {
        if case.has("terminal") {
            let value = (case.one("value") != "absent").then(|| bytes(case.one("value")));
            let result = proof_of(case).verify(
                &digest(case.one("root")),
                &bytes(case.one("key")),
                value.as_deref(),
            );
            case.is("expect", verdict(result));
            return;
        }
        let mut map = StateMap::new();
        for (name, value) in &case.fields {
            match (name.as_str(), value.split_once(' ')) {
                ("set", Some((key, value))) => {
                    map.insert(&bytes(key), bytes(value));
                }
                ("remove", None) => {
                    map.remove(&bytes(value));
                }
                _ => {}
            }
        }
        case.is("root", map.root().to_string());
    });
}
