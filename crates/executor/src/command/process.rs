//! The executor on a supervised external command.

use futures::future::BoxFuture;

use crate::command::config::ExternalCommandConfig;
use crate::command::launch::CommandLaunch;
use crate::config::BuildError;
use crate::description::Description;
use crate::error::ExecuteError;
use crate::executor::{Executor, Health};
use crate::outcome::Outcome;
use crate::request::Request;
use crate::supervisor::Supervised;

/// A program that reads and writes JSON lines, supervised as the engine is.
///
/// Its model digest is a claim ([`crate::DigestBasis::Claim`]): nothing shows which weights it runs.
#[derive(Debug)]
pub struct ExternalCommand {
    supervised: Supervised,
}

impl ExternalCommand {
    /// Begins to start the program. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError`]; that the program cannot be run shows later, in [`Executor::describe`] and [`Executor::health`].
    pub fn start(config: ExternalCommandConfig) -> Result<Self, BuildError> {
        config.validate()?;
        let supervision = config.supervision.clone();
        Ok(Self {
            supervised: Supervised::start(CommandLaunch::new(config), supervision),
        })
    }
}

impl Executor for ExternalCommand {
    fn execute(&self, request: Request) -> BoxFuture<'_, Result<Outcome, ExecuteError>> {
        self.supervised.execute(request)
    }

    fn describe(&self) -> BoxFuture<'_, Result<Description, ExecuteError>> {
        self.supervised.describe()
    }

    fn health(&self) -> BoxFuture<'_, Health> {
        self.supervised.health()
    }

    fn shut_down(&self) -> BoxFuture<'_, ()> {
        self.supervised.shut_down()
    }
}
