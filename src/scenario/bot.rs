//! Checks what a scenario says about the user's own bot.

use super::Scenario;
use crate::provider::{HTTP, Own as Bot};
use crate::source::{Diagnostic, Diagnostics, Node};

/// Reports keys that belong to another provider than the file names, and placeholders in a bot's request for which no
/// case has a variable.
pub(super) fn check(scenario: &Scenario, found: &mut Diagnostics) {
    let config = &scenario.provider_config;
    let file = &scenario.file;
    if let Some(provider) = &scenario.provider
        && let Some((key, message, help)) = config.misplaced_of_own(provider)
    {
        let place = Node::parse(file).map(|node| node.place(&["providerConfig", key])).unwrap_or_default();
        found.push(Diagnostic::error("unknown-key", file, place, message).help(help));
    }
    if let (Some(body), Some(HTTP)) = (&config.own.body, scenario.provider.as_deref()) {
        let node = Node::parse(file).ok();
        let place = |keys: &[&str]| node.as_ref().map(|node| node.place(keys)).unwrap_or_default();
        if scenario.functions.most_rounds() > 0 && !config.own.sends_history() {
            let (message, help) = Bot::unreturned(true);
            found.push(Diagnostic::error("wrong-value", file, body.at.1, message.to_owned()).help(help));
        }
        let is_left_out: [(&[&str], bool); 4] = [
            (&["setup", "systemPrompt"], scenario.system.is_some() && !config.own.sends_history()),
            (&["temperature"], scenario.temperature.is_some()),
            (&["maxTokens"], scenario.max_tokens.is_some()),
            (&["seed"], scenario.seed.is_some()),
        ];
        for (keys, _) in is_left_out.into_iter().filter(|(_, is_left_out)| *is_left_out) {
            let message = format!("`{}` is not sent: provider `http` sends only `body`", keys.join("."));
            let finding = Diagnostic::error("no-effect", file, place(keys), message).warn();
            found.push(finding.help("add it to `body`, or remove it"));
        }
    }
    let is_known = |name: &str| scenario.cases.iter().any(|case| case.variables.contains_key(name));
    if let Some((key, name, (file, span))) =
        config.own.unknown(is_known).filter(|_| !scenario.cases.is_empty())
    {
        let (message, help) = Bot::undefined(key, name);
        found.push(Diagnostic::error("undefined-variable", file, *span, message).help(help));
    }
}
