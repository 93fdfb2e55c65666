//! Generates the gRPC code of `symphony.engine.v1`: the client for the library, the server for the tests' engine.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../../proto/symphony/engine/v1/engine.proto");
    let descriptors = protox::compile(["symphony/engine/v1/engine.proto"], ["../../proto"])?;
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    for (name, server) in [("client", false), ("server", true)] {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        tonic_prost_build::configure()
            .build_client(!server)
            .build_server(server)
            .out_dir(folder)
            .compile_fds(descriptors.clone())?;
    }
    Ok(())
}
