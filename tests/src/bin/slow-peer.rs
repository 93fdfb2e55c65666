//! An honest peer that takes its time: 600 milliseconds before every answer.

use std::{sync::Arc, time::Duration};

fn main() -> anyhow::Result<()> {
    let hooks = symphony_node::runtime::Hooks {
        wrap_executor: Box::new(|inner| {
            Arc::new(symphony_tests::SlowExecutor {
                inner,
                delay: Duration::from_millis(600),
            })
        }),
        ..symphony_node::runtime::Hooks::faithful()
    };
    symphony_tests::main_with(hooks)
}
