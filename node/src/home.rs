//! A node's home folder: configuration, keys, log and signing record.
//!
//! ```text
//! config.toml            settings
//! keys/{log,transport,witness}.key   hex, mode 0600
//! data/                  the ledger
//! signing/record         highest size and root ever signed: apart from the data, so that a restored backup shows
//! admin.sock             the admin API while the node runs
//! ```

use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use symphony_ledger::{Ledger, MissingRecord, OpenOptions, Recovered};
use symphony_protocol::records::{Genesis, Params};
use symphony_transparency::{Digest, PeerSecrets, SecretKey};

use crate::{config::Config, entropy};

/// Stamps tried before `init` looks whether it should go on: about a tenth of a second.
const STAMPS_PER_ROUND: u64 = 50_000;

/// A home folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    folder: PathBuf,
}

/// Why a home folder cannot be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is a node already.
    #[error("{folder} holds a node already; choose another folder")]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// There are keys, and no settings.
    #[error(
        "{folder} holds keys and no config.toml: if `symphony node init` was interrupted there, remove the folder and make it anew, \
         otherwise bring config.toml back"
    )]
    Unfinished {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no node.
    #[error("{folder} holds no node; make one with `symphony node init --home {folder}`")]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// A key file is not 64 hexadecimal digits.
    #[error("{path}: expected 64 hexadecimal digits")]
    Key {
        /// The file.
        path: PathBuf,
    },
    /// Others can read a key file.
    #[error("{path}: expected mode 0600, found {mode:o}; run `chmod 600 {path}`")]
    KeyMode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The operating system gives no entropy.
    #[error("no entropy: {0}")]
    Entropy(#[from] getrandom::Error),
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The ledger does not open.
    #[error("ledger: {0}")]
    Open(#[from] symphony_ledger::OpenError),
    /// The ledger refuses entry 0.
    #[error("ledger: {0}")]
    Ledger(#[from] symphony_ledger::LedgerError),
    /// The settings cannot be written.
    #[error("configuration: {0}")]
    Write(String),
}

impl Home {
    /// The folder that is used when none is named: `$SYMPHONY_HOME`, else `~/.symphony`.
    pub fn default_folder() -> PathBuf {
        if let Some(folder) = std::env::var_os("SYMPHONY_HOME") {
            return PathBuf::from(folder);
        }
        std::env::var_os("HOME").map_or_else(
            || PathBuf::from(".symphony"),
            |home| PathBuf::from(home).join(".symphony"),
        )
    }

    /// A home folder that holds a node.
    ///
    /// # Errors
    /// [`HomeError::Missing`].
    pub fn open(folder: &Path) -> Result<Self, HomeError> {
        let home = Self {
            folder: folder.to_owned(),
        };
        let folder = folder.to_owned();
        match (home.config_file().is_file(), home.key_file("log").is_file()) {
            (true, true) => Ok(home),
            (false, true) => Err(HomeError::Unfinished { folder }),
            (_, false) => Err(HomeError::Missing { folder }),
        }
    }

    /// Makes a node: keys, settings and entry 0 with its stamp. `progress` is called with the count of stamps tried.
    ///
    /// The default difficulty of 20 bits takes a few seconds.
    ///
    /// # Errors
    /// [`HomeError`]; nothing that exists is overwritten.
    pub async fn init(
        folder: &Path,
        config: &Config,
        mut progress: impl FnMut(u64),
    ) -> Result<(Self, Digest), HomeError> {
        config.validate()?;
        let home = Self {
            folder: folder.to_owned(),
        };
        let exists = |file: PathBuf| file.exists();
        match (exists(home.config_file()), exists(home.key_file("log"))) {
            (false, false) => {}
            (false, true) => {
                let folder = folder.to_owned();
                return Err(HomeError::Unfinished { folder });
            }
            (true, _) => {
                let folder = folder.to_owned();
                return Err(HomeError::Exists { folder });
            }
        }
        let params = config.params().map_err(crate::config::ConfigError::from)?;
        let seeds = [entropy::fresh()?, entropy::fresh()?, entropy::fresh()?];
        let [log, transport, witness] = seeds.map(SecretKey::from_bytes);
        let secrets = PeerSecrets {
            log,
            transport,
            witness,
        };
        let mut genesis = Genesis::bind(&secrets, params.clone());
        let time_ms = now_ms();
        let entry_0 = loop {
            if let Some(entry_0) = genesis.search_stamp(time_ms, STAMPS_PER_ROUND) {
                break entry_0;
            }
            progress(genesis.stamp);
        };
        let log = symphony_transparency::log_id(&entry_0);
        // The search takes the longest, and may be interrupted: nothing was written before.
        create_private_folder(folder)?;
        create_private_folder(&folder.join("keys"))?;
        for (name, seed) in ["log", "transport", "witness"].into_iter().zip(seeds) {
            write_private(&home.key_file(name), hex(&seed).as_bytes())?;
        }
        let (ledger, _) = home.open_ledger(&params, MissingRecord::Refuse)?;
        ledger.append_for_release(vec![entry_0], Vec::new()).await?;
        ledger.close().await?;
        let text =
            toml::to_string_pretty(config).map_err(|error| HomeError::Write(error.to_string()))?;
        write_private(&home.config_file(), text.as_bytes())?;
        Ok((home, log))
    }

    /// Opens the ledger with its signing record.
    ///
    /// # Errors
    /// [`HomeError::Open`], among them a second process.
    pub fn open_ledger(
        &self,
        params: &Params,
        missing: MissingRecord,
    ) -> Result<(Ledger, Recovered), HomeError> {
        create_private_folder(&self.folder.join("signing"))?;
        let mut options =
            OpenOptions::new(params.network_id()).with_signing_record(self.signing_record());
        options.missing_record = missing;
        Ok(Ledger::open(&self.data_folder(), options)?)
    }

    /// The settings.
    ///
    /// # Errors
    /// [`HomeError::Config`].
    pub fn config(&self) -> Result<Config, HomeError> {
        Ok(Config::load(Some(&self.config_file()))?)
    }

    /// The secret keys.
    ///
    /// # Errors
    /// A missing, malformed or readable-by-others key file.
    pub fn secrets(&self) -> Result<PeerSecrets, HomeError> {
        Ok(PeerSecrets {
            log: self.secret("log")?,
            transport: self.secret("transport")?,
            witness: self.secret("witness")?,
        })
    }

    /// One of the secret keys: `log`, `transport` or `witness`.
    ///
    /// # Errors
    /// A missing, malformed or readable-by-others key file.
    pub fn secret(&self, name: &'static str) -> Result<SecretKey, HomeError> {
        let path = self.key_file(name);
        let file = |source| HomeError::File {
            path: path.clone(),
            source,
        };
        let mode = fs::metadata(&path).map_err(file)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(HomeError::KeyMode { path, mode });
        }
        let text = fs::read_to_string(&path).map_err(file)?;
        let bytes = data_encoding::HEXLOWER.decode(text.trim().as_bytes()).ok();
        let seed: [u8; 32] = bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(HomeError::Key { path })?;
        Ok(SecretKey::from_bytes(seed))
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `config.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.folder.join("config.toml")
    }

    /// The ledger's folder.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The signing record.
    pub fn signing_record(&self) -> PathBuf {
        self.folder.join("signing").join("record")
    }

    /// The admin socket, unless the settings name another.
    pub fn admin_socket(&self, config: &Config) -> PathBuf {
        config
            .admin
            .socket
            .clone()
            .unwrap_or_else(|| self.folder.join("admin.sock"))
    }

    fn key_file(&self, name: &str) -> PathBuf {
        self.folder.join("keys").join(format!("{name}.key"))
    }
}

/// The clock, in milliseconds since 1970. The one place that reads it.
pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn create_private_folder(path: &Path) -> Result<(), HomeError> {
    let file = |source| HomeError::File {
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(path).map_err(file)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(file)
}

/// Writes a new file that only its owner can read, and syncs it.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), HomeError> {
    let file = |source| HomeError::File {
        path: path.to_owned(),
        source,
    };
    let mut output = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(file)?;
    output
        .write_all(bytes)
        .and_then(|()| output.sync_all())
        .map_err(file)
}
