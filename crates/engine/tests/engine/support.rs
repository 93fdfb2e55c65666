//! What the tests on real models share.

use std::path::{Path, PathBuf};

use symphony_engine::device::Device;
use symphony_engine::generation::{Generation, Input, Message, Role};
use symphony_engine::model::{LoadOptions, LoadedModel};
use symphony_engine::source::ModelSource;

/// Most tokens of an answer in these tests.
pub(crate) const MAX_TOKENS: u32 = 256;

/// The model folder of these tests: `SYMPHONY_TEST_MODEL`, else the first whole one in `models/`.
pub(crate) fn model_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SYMPHONY_TEST_MODEL") {
        return Some(folder.into());
    }
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(models)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    folders
        .into_iter()
        .find(|folder| ModelSource::Folder(folder.clone()).verify().is_ok())
}

/// Loads the model in `folder` on `device`.
pub(crate) async fn load(folder: &Path, device: Device) -> LoadedModel {
    let options = LoadOptions {
        source: ModelSource::Folder(folder.to_path_buf()),
        device,
        running_count_max: 4,
        cache_folder: std::env::temp_dir(),
    };
    LoadedModel::load(&options).await.expect("the model loads")
}

/// A question in the form of the public boolean task; other models answer it too, in their own way.
pub(crate) fn question(number: u32) -> String {
    let value = |bit: u32| {
        if number >> bit & 1 == 1 {
            "True"
        } else {
            "False"
        }
    };
    format!(
        "not {} and ( {} or not {} ) and {} or {} is",
        value(0),
        value(1),
        value(2),
        value(3),
        value(4)
    )
}

/// A conversation of one message.
pub(crate) fn conversation(content: &str) -> Input {
    Input::Conversation(vec![Message {
        role: Role::User,
        content: content.to_owned(),
    }])
}

/// Asks one question.
pub(crate) async fn ask(model: &LoadedModel, content: &str) -> Generation {
    model
        .generate(conversation(content), MAX_TOKENS)
        .await
        .expect("the model answers")
}
