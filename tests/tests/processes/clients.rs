//! Clients that are not ours.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::support::{Network, Role};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stock_grpc_client_lists_and_calls_the_services() -> anyhow::Result<()> {
    let Some(python) = std::env::var_os("SYMPHONY_TEST_PYTHON") else {
        println!("skipped: SYMPHONY_TEST_PYTHON names no Python with grpcio-reflection");
        return Ok(());
    };
    let network = Network::start(vec![Role::asker("asker")]).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/grpc_reflection.py");
    let output = Command::new(python)
        .arg(script)
        .arg(format!("unix:{}", network.peers[0].socket.display()))
        .output()
        .await?;
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout)?;
    assert!(said.is_object(), "{said}");
    network.assert_no_panic();
    Ok(())
}
