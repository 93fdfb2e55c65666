//! Reading a policy file.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::{
    Member, POLICY_LOGS_MAX, POLICY_MEMBERS_MAX, POLICY_SIZE_MAX, PolicyLog, PolicyName,
    PolicyProblem, PolicyWitness, Quorum, TrustPolicy, TrustPolicyError,
};
use crate::note::{VerifierKey, VerifierKeyError, VerifierKeyType};
use crate::{Cosigner, PublicKey};

const LOG_FORM: &str = "log <vkey> [<url>]";
const WITNESS_FORM: &str = "witness <name> <vkey> [<url>]";
const GROUP_FORM: &str = "group <name> <all, any or number> <name>...";
const QUORUM_FORM: &str = "quorum <name or none>";

/// The name that no witness and no group has.
const NONE: &[u8] = b"none";

impl TrustPolicy {
    /// Reads a policy file. Its octets above 0x7F are opaque, as C2SP asks: names are compared by octets.
    ///
    /// # Errors
    /// [`TrustPolicyError`], naming the line.
    ///
    /// Spec: WITNESS-9.
    pub fn parse(file: &[u8]) -> Result<Self, TrustPolicyError> {
        let whole = |line, problem| TrustPolicyError { line, problem };
        if file.len() > POLICY_SIZE_MAX {
            let problem = PolicyProblem::TooLarge {
                limit: POLICY_SIZE_MAX,
                actual: file.len(),
            };
            return Err(whole(1, problem));
        }
        let mut reader = Reader::default();
        let mut line = 1;
        for text in file.split_inclusive(|octet| *octet == b'\n') {
            reader
                .line(text)
                .map_err(|problem| TrustPolicyError { line, problem })?;
            line += 1;
        }
        let quorum = reader
            .quorum
            .ok_or_else(|| whole(line, PolicyProblem::NoQuorum))?;
        Ok(Self {
            logs: reader.logs,
            members: reader.members,
            quorum,
        })
    }
}

impl FromStr for TrustPolicy {
    type Err = TrustPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.as_bytes())
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    members: Vec<Member>,
    quorum: Option<Quorum>,
    log_keys: BTreeSet<PublicKey>,
    witness_keys: BTreeSet<PublicKey>,
    /// Positions of members that stand in a group.
    grouped: BTreeSet<usize>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), PolicyProblem> {
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(PolicyProblem::Unterminated);
        };
        let is_control = |octet: &&u8| (**octet < b' ' && **octet != b'\t') || **octet == 0x7f;
        if let Some(found) = line.iter().find(is_control) {
            return Err(PolicyProblem::ControlCharacter { found: *found });
        }
        let words: Vec<&[u8]> = line
            .split(|octet| matches!(octet, b' ' | b'\t'))
            .filter(|word| !word.is_empty())
            .collect();
        match words[..] {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", key] => self.log(key, None),
            [b"log", key, url] => self.log(key, Some(url)),
            [b"log", ..] => Err(PolicyProblem::Form { form: LOG_FORM }),
            [b"witness", name, key] => self.witness(name, key, None),
            [b"witness", name, key, url] => self.witness(name, key, Some(url)),
            [b"witness", ..] => Err(PolicyProblem::Form { form: WITNESS_FORM }),
            [b"group", name, threshold, ref members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            [b"group", ..] => Err(PolicyProblem::Form { form: GROUP_FORM }),
            [b"quorum", name] => self.quorum(name),
            [b"quorum", ..] => Err(PolicyProblem::Form { form: QUORUM_FORM }),
            [other, ..] => Err(PolicyProblem::UnknownKeyword { found: name(other) }),
        }
    }

    fn log(&mut self, key: &[u8], url: Option<&[u8]>) -> Result<(), PolicyProblem> {
        if self.logs.len() == POLICY_LOGS_MAX {
            return Err(PolicyProblem::TooManyLogs {
                limit: POLICY_LOGS_MAX,
            });
        }
        let key = verifier_key(key)?;
        let (expected, found) = (VerifierKeyType::Ed25519, key.key_type());
        if found != expected {
            return Err(VerifierKeyError::WrongType { expected, found }.into());
        }
        if !self.log_keys.insert(*key.key()) {
            return Err(PolicyProblem::DuplicateKey);
        }
        let url = url.map(<[u8]>::to_vec);
        self.logs.push(PolicyLog { key, url });
        Ok(())
    }

    fn witness(
        &mut self,
        given: &[u8],
        key: &[u8],
        url: Option<&[u8]>,
    ) -> Result<(), PolicyProblem> {
        let name = self.new_name(given)?;
        let cosigner = Cosigner::try_from(verifier_key(key)?)?;
        if !self.witness_keys.insert(*cosigner.key()) {
            return Err(PolicyProblem::DuplicateKey);
        }
        self.members.push(Member::Witness(PolicyWitness {
            name,
            cosigner,
            url: url.map(<[u8]>::to_vec),
        }));
        Ok(())
    }

    fn group(
        &mut self,
        given: &[u8],
        threshold: &[u8],
        listed: &[&[u8]],
    ) -> Result<(), PolicyProblem> {
        let group = self.new_name(given)?;
        let mut members = Vec::new();
        for member in listed {
            let position = self.position(member)?;
            if !self.grouped.insert(position) {
                return Err(PolicyProblem::MemberTwice { name: name(member) });
            }
            members.push(position);
        }
        let threshold = match threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => parse_threshold(number, members.len())?,
        };
        self.members.push(Member::Group {
            name: group,
            threshold,
            members,
        });
        Ok(())
    }

    fn quorum(&mut self, name: &[u8]) -> Result<(), PolicyProblem> {
        if self.quorum.is_some() {
            return Err(PolicyProblem::SecondQuorum);
        }
        self.quorum = Some(if name == NONE {
            Quorum::None
        } else {
            Quorum::Member(self.position(name)?)
        });
        Ok(())
    }

    fn new_name(&self, given: &[u8]) -> Result<PolicyName, PolicyProblem> {
        if self.members.len() == POLICY_MEMBERS_MAX {
            return Err(PolicyProblem::TooManyMembers {
                limit: POLICY_MEMBERS_MAX,
            });
        }
        if given == NONE {
            return Err(PolicyProblem::ReservedName);
        }
        let name = name(given);
        if self.members.iter().any(|member| *member.name() == name) {
            return Err(PolicyProblem::DuplicateName { name });
        }
        Ok(name)
    }

    fn position(&self, wanted: &[u8]) -> Result<usize, PolicyProblem> {
        self.members
            .iter()
            .position(|member| member.name().as_bytes() == wanted)
            .ok_or_else(|| PolicyProblem::UnknownName { name: name(wanted) })
    }
}

fn name(octets: &[u8]) -> PolicyName {
    PolicyName(octets.to_vec())
}

fn verifier_key(octets: &[u8]) -> Result<VerifierKey, VerifierKeyError> {
    std::str::from_utf8(octets)
        .map_err(|_| VerifierKeyError::BadForm)?
        .parse()
}

fn parse_threshold(octets: &[u8], members: usize) -> Result<usize, PolicyProblem> {
    let number = std::str::from_utf8(octets).ok().and_then(|text| {
        let number: usize = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    });
    number
        .filter(|number| (1..=members).contains(number))
        .ok_or_else(|| PolicyProblem::Threshold {
            members,
            found: name(octets),
        })
}
