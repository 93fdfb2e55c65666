//! Proofs and what an auditor spends on each entry: hashing, appending, checking.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use symphony_transparency::{
    Domain, Frontier, MerkleTree, SecretKey, StatementKind, UnverifiedStatement, digest, leaf_hash,
    sign_statement, verify_consistency, verify_inclusion,
};

fn tree(size: u64) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for index in 0..size {
        tree.append(&index.to_be_bytes());
    }
    tree
}

fn merkle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merkle");
    for size in [1_000_u64, 1_000_000] {
        let tree = tree(size);
        let (index, root) = (size / 3, tree.root());
        let leaf = leaf_hash(&index.to_be_bytes());
        let proof = tree
            .inclusion_proof(index, size)
            .expect("the leaf is in the tree");
        group.bench_function(
            BenchmarkId::new("inclusion_proof", format!("size={size}")),
            |bencher| {
                bencher.iter(|| tree.inclusion_proof(black_box(index), black_box(size)));
            },
        );
        group.bench_function(
            BenchmarkId::new("verify_inclusion", format!("size={size}")),
            |bencher| {
                bencher.iter(|| verify_inclusion(black_box(&leaf), index, size, &proof, &root));
            },
        );

        let old_size = size / 3;
        let old = symphony_transparency::TreeHead {
            size: old_size,
            root: tree.root_at(old_size).expect("the old tree is a prefix"),
        };
        let proof = tree
            .consistency_proof(old_size, size)
            .expect("the old tree is a prefix");
        group.bench_function(
            BenchmarkId::new("consistency_proof", format!("size={size}")),
            |bencher| {
                bencher.iter(|| tree.consistency_proof(black_box(old_size), black_box(size)));
            },
        );
        group.bench_function(
            BenchmarkId::new("verify_consistency", format!("size={size}")),
            |bencher| {
                bencher.iter(|| verify_consistency(black_box(&old), &tree.head(), &proof));
            },
        );
    }
    let entry = [7; 512];
    group.bench_function("append/bytes=512", |bencher| {
        let mut frontier = Frontier::new();
        bencher.iter(|| frontier.append(black_box(&entry)));
    });
    group.finish();
}

fn statement(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("statement");
    let secret = SecretKey::from_bytes([7; 32]);
    let network = digest(Domain::NetworkId, b"bench");
    let signed = sign_statement(&secret, &network, StatementKind::Receipt, vec![7; 256]);
    group.bench_function("sign/bytes=256", |bencher| {
        bencher.iter(|| {
            sign_statement(
                &secret,
                &network,
                StatementKind::Receipt,
                black_box(vec![7; 256]),
            )
        });
    });
    let (key, signature) = (secret.public(), secret.sign_raw(&[7; 81]));
    group.bench_function("verify_strict/bytes=81", |bencher| {
        bencher.iter(|| key.verify(black_box(&[7; 81]), &signature));
    });
    group.bench_function("parse_and_verify/bytes=256", |bencher| {
        bencher.iter(|| {
            UnverifiedStatement::parse(black_box(signed.bytes()))
                .and_then(|parsed| parsed.verify(&network))
        });
    });
    group.finish();
}

criterion_group!(benches, merkle, statement);
criterion_main!(benches);
