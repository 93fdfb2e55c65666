//! Generates the gRPC code of `symphony.engine.v1`, without any installed protobuf compiler.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../../proto/symphony/engine/v1/engine.proto");
    let descriptors = protox::compile(["symphony/engine/v1/engine.proto"], ["../../proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
