//! A coordinator that writes a wrong reward into a well-signed log.

fn main() -> anyhow::Result<()> {
    let hooks = symphony_node::runtime::Hooks {
        outgoing: Box::new(symphony_tests::LyingCoordinator::after(4)),
        ..symphony_node::runtime::Hooks::faithful()
    };
    symphony_tests::main_with(hooks)
}
