//! The Unix socket in the file system.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;

use symphony_admin::{AdminClient, ErrorKind, ListenError, ListenSettings, Listeners};

use crate::harness::Harness;

async fn bind(socket: &Path) -> Result<Listeners, ListenError> {
    Listeners::bind(ListenSettings {
        socket: socket.to_owned(),
        tcp: None,
    })
    .await
}

#[tokio::test]
async fn the_socket_has_mode_0600() {
    let harness = Harness::start().await;
    let metadata = std::fs::metadata(&harness.socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_socket_that_a_dead_server_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    drop(bind(&socket).await.unwrap());
    assert!(!socket.exists());
    // The lock was left as well.
    drop(bind(&socket).await.unwrap());
}

#[tokio::test]
async fn a_second_server_is_refused_and_the_first_goes_on() {
    let harness = Harness::start().await;
    let error = bind(&harness.socket).await.unwrap_err();
    assert!(
        matches!(&error, ListenError::InUse { path } if *path == harness.socket),
        "{error}"
    );
    assert!(harness.client().await.node_info().await.is_ok());
}

#[tokio::test]
async fn a_live_server_that_knows_no_lock_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("admin.sock");
    let other = UnixListener::bind(&socket).unwrap();
    assert!(matches!(
        bind(&socket).await,
        Err(ListenError::InUse { .. })
    ));
    assert!(socket.exists());
    drop(other);
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.sock");
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(
        bind(&path).await,
        Err(ListenError::NotSocket { .. })
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_folder_that_does_not_exist_and_a_path_too_long_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(120));
    for path in [folder.path().join("none/admin.sock"), long] {
        let error = bind(&path).await.unwrap_err();
        assert!(
            matches!(&error, ListenError::Socket { path: found, .. } if *found == path),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_client_without_a_server_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let error = AdminClient::connect_unix(folder.path().join("none.sock"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("none.sock"), "{error}");
}
