//! Discovery without any configured address, in a network namespace of its own: mDNS leaves loopback alone, and a test has no
//! business on the networks of the machine that it runs on.

use std::process::{Command, Output};

use symphony_network::{MdnsMode, NetworkConfig};

use crate::support::start;

/// Set for the process that runs inside the namespace.
const INSIDE: &str = "SYMPHONY_TEST_INSIDE_NAMESPACE";
/// What the process inside says when the nodes have met.
const MET: &str = "two nodes met by mDNS alone";
/// An interface with multicast and a carrier; the arguments are run on it.
const PREPARE: &str = "ip link set lo up \
    && ip link add symphony0 type veth peer name symphony1 \
    && ip address add 10.77.0.1/24 dev symphony0 \
    && ip link set symphony1 up && ip link set symphony0 up \
    && ip route add 224.0.0.0/4 dev symphony0 \
    && exec \"$@\"";

/// Spec: NET-5.
#[tokio::test]
async fn net_5_two_nodes_without_a_bootstrap_address_find_each_other_by_mdns() {
    if std::env::var_os(INSIDE).is_some() {
        find_each_other().await;
        return;
    }
    let mut objections = String::new();
    // Root may make namespaces; others may where the system has user namespaces for all.
    for flags in [&["--net"][..], &["--user", "--map-root-user", "--net"]] {
        match in_namespace(flags, &["true"]) {
            Ok(output) if output.status.success() => {
                let program = std::env::current_exe().unwrap();
                let name = std::thread::current().name().unwrap().to_owned();
                let output = in_namespace(
                    flags,
                    &[program.to_str().unwrap(), "--exact", &name, "--nocapture"],
                )
                .unwrap();
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(
                    output.status.success() && said.contains(MET),
                    "{said}\n{}",
                    String::from_utf8_lossy(&output.stderr)
                );
                return;
            }
            Ok(output) => objections += &String::from_utf8_lossy(&output.stderr),
            Err(error) => objections += &format!("unshare: {error}\n"),
        }
    }
    println!(
        "skipped: no network namespace with a multicast interface can be made here:\n{objections}"
    );
}

fn in_namespace(flags: &[&str], command: &[&str]) -> std::io::Result<Output> {
    Command::new("unshare")
        .args(flags)
        .args(["sh", "-c", PREPARE, "sh"])
        .args(command)
        .env(INSIDE, "1")
        .output()
}

async fn find_each_other() {
    let config = || NetworkConfig {
        listen_addresses: vec!["/ip4/10.77.0.1/udp/0/quic-v1".parse().unwrap()],
        kademlia: symphony_network::KademliaMode::Off,
        mdns: MdnsMode::On,
        ..NetworkConfig::loopback()
    };
    let (mut one, mut two) = (start(1, config()).await, start(2, config()).await);
    one.until_introduced(two.peer()).await;
    two.until_introduced(one.peer()).await;
    println!("{MET}");
}
