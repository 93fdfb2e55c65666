"""A second verifier of Symphony's logs, written from `spec/` and sharing no code with the Rust crates.

Read it beside the specification: each module follows one or two chapters and names the requirements that it carries out.

schema      the messages, read from `proto/`            encoding    canonical bytes, numbers, digests (02)
keys        Ed25519 as KEYS-5 accepts it (03)           statements  the signed envelope (03)
tree        RFC 6962 tree and proofs (04)               notes       signed notes and checkpoints (04)
records     fields and their ranges (05, 06, 08)        mathematics numbers, screening, LinUCB, vote, reward (07, 09, 10)
state       the state map and its root (11)             replay      the rules, entry by entry (12)
symlog      the file of a log (15)                      audit       verdicts on files (12)
evidence    proofs of faults (16)                       tiles       how a log is published (17)
trust       who has to cosign, and who does (17)
"""
