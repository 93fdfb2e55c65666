//! Generates the gRPC code of `symphony.admin.v1`, without any installed protobuf compiler.

use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../../proto/symphony");
    let descriptors = protox::compile(["symphony/admin/v1/admin.proto"], ["../../proto"])?;
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        folder.join("admin.descriptors"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .extern_path(".symphony.log.v1", "::symphony_proto::log::v1")
        .extern_path(".symphony.params.v1", "::symphony_proto::params::v1")
        .extern_path(".symphony.statement.v1", "::symphony_proto::statement::v1")
        .compile_fds(descriptors)?;
    Ok(())
}
