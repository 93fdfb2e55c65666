//! The executor on a supervised engine process.

use futures::future::BoxFuture;

use crate::config::BuildError;
use crate::description::Description;
use crate::engine::config::EngineProcessConfig;
use crate::engine::launch::EngineLaunch;
use crate::error::ExecuteError;
use crate::executor::{Executor, Health};
use crate::outcome::Outcome;
use crate::request::Request;
use crate::supervisor::Supervised;

/// A model on mistral.rs in the process `symphony-engine`, which is started anew when it crashes or hangs.
///
/// The process dies with this value, and with this program: it watches its standard input, which only this program holds.
#[derive(Debug)]
pub struct EngineProcess {
    supervised: Supervised,
}

impl EngineProcess {
    /// Begins to start the engine. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError`]; that the model cannot be loaded shows later, in [`Executor::describe`] and [`Executor::health`].
    pub fn start(config: EngineProcessConfig) -> Result<Self, BuildError> {
        config.validate()?;
        let supervision = config.supervision.clone();
        Ok(Self {
            supervised: Supervised::start(EngineLaunch::new(config)?, supervision),
        })
    }
}

impl Executor for EngineProcess {
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
