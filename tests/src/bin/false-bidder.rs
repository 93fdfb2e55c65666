//! A peer whose bids do not match its capability.

fn main() -> anyhow::Result<()> {
    let hooks = symphony_node::runtime::Hooks {
        outgoing: Box::new(symphony_tests::FalseBidder::default()),
        ..symphony_node::runtime::Hooks::faithful()
    };
    symphony_tests::main_with(hooks)
}
